using Coordinator.Replica.Storage;

namespace Coordinator.Simulation.Storage;

/// <summary>What came of an activation or re-activation (rules 2 and 4): a closed set, as the real storage gives it.</summary>
internal abstract record ActivationAnswer
{
    private ActivationAnswer()
    {
    }

    internal sealed record Activated(LoadedPeer Peer) : ActivationAnswer;

    internal sealed record Missing : ActivationAnswer;

    internal sealed record Superseded(long Epoch) : ActivationAnswer;

    internal sealed record WentBack(string Detail) : ActivationAnswer;

    internal sealed record Unavailable : ActivationAnswer;
}
