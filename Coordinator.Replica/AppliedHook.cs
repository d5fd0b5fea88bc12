using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Replica;

/// <summary>Sees each entry as it is applied, and what came of it: for checks, which may change nothing.</summary>
internal delegate void AppliedHook(in Entry entry, in ApplyResult result, ApplyEffects effects);
