namespace Coordinator.Grains;

/// <summary>Where a request can be served now. A closed set.</summary>
internal abstract record LeaderSeat
{
    private LeaderSeat()
    {
    }

    internal sealed record Here(PeerLoop Peer) : LeaderSeat;

    /// <summary>On another silo, with which there is a link.</summary>
    internal sealed record There(string Silo) : LeaderSeat;
}

/// <summary>What a request has been through here.</summary>
/// <param name="IsForwarded">Another silo has sent it here: it is served here and now, or refused as not the leader's.</param>
internal readonly record struct Errand(long StartedAt, bool IsForwarded);
