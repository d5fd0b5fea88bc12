namespace Coordinator.Client.Machine;

/// <summary>
/// How long a session is certainly alive: <paramref name="Validity"/> (its TTL less the drift margin) from the moment
/// the answered keep-alive was sent (rule 13). Counted from the sending, because the cluster may have extended the
/// session at any moment after it; never from the answer.
/// </summary>
internal sealed record SessionLifetime(ClientInstant Start, TimeSpan Validity)
{
    public TimeSpan Remaining(ClientInstant now) => Validity - now.Since(Start);

    public bool IsOver(ClientInstant now) => Remaining(now) <= TimeSpan.Zero;
}
