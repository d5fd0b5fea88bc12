using Coordinator.Raft;

namespace Coordinator.Grains.Storage;

/// <summary>The activation of a leader on whose word another peer's rows are deleted: it must still own its own row.</summary>
public readonly record struct Decider(PeerId Peer, long Epoch);
