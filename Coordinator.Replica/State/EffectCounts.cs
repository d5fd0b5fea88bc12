using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>How many effects of each kind there were before an entry: what it adds behind them goes into the hash.</summary>
internal readonly record struct EffectCounts(
    int WaitsEnded, int SessionsEnded, int HoldingsEnded, int ReleasesRequested, int ElectionsChanged)
{
    public static EffectCounts Of(ApplyEffects effects) => new(
        effects.WaitsEnded.Count,
        effects.SessionsEnded.Count,
        effects.HoldingsEnded.Count,
        effects.ReleasesRequested.Count,
        effects.ElectionsChanged.Count);

    public void HashAllSince(ApplyEffects effects, ref StateHash hash)
    {
        for (int i = WaitsEnded; i < effects.WaitsEnded.Count; i++)
        {
            hash.Add(effects.WaitsEnded[i].EntryIndex);
            effects.WaitsEnded[i].Result.AddTo(ref hash);
        }
        for (int i = SessionsEnded; i < effects.SessionsEnded.Count; i++)
        {
            hash.Add(effects.SessionsEnded[i].SessionId);
            hash.Add((long)effects.SessionsEnded[i].Reason);
        }
        for (int i = HoldingsEnded; i < effects.HoldingsEnded.Count; i++)
        {
            HoldingEnded ended = effects.HoldingsEnded[i];
            hash.Add(((long)ended.Kind << 32) ^ (long)ended.Reason);
            hash.Add(ended.Name);
            hash.Add(ended.Token);
        }
        for (int i = ReleasesRequested; i < effects.ReleasesRequested.Count; i++)
        {
            hash.Add(effects.ReleasesRequested[i].Token);
            hash.Add(effects.ReleasesRequested[i].Reason);
        }
        for (int i = ElectionsChanged; i < effects.ElectionsChanged.Count; i++)
        {
            hash.Add(effects.ElectionsChanged[i].Name);
            hash.Add(effects.ElectionsChanged[i].Token);
            hash.Add(effects.ElectionsChanged[i].Value);
        }
    }
}

/// <summary>A result in the hash of the state.</summary>
internal static class ResultHash
{
    public static void AddTo(this CommandResult result, ref StateHash hash)
    {
        hash.Add(((long)result.Error << 32) ^ (long)result.Outcome);
        hash.Add(result.Token ^ result.SessionId);
        hash.Add(result.Floor);
        hash.Add(result.Revision);
        hash.Add(result.Version ^ ((long)result.Holds << 32));
        foreach (long floor in result.AlsoFloors)
            hash.Add(floor);
    }
}
