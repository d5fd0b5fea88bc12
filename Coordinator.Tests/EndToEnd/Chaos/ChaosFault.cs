namespace Coordinator.Tests.EndToEnd.Chaos;

/// <summary>What is done to one silo of a cluster or to its database, or to all of them.</summary>
internal enum ChaosFault
{
    SiloKilled,
    DatabaseKilled,
    CutOff,
    SendsNothing,
    HearsNothing,
    SiloPaused,
    DatabasePaused,

    /// <summary>All silos and databases at once, as by a power failure.</summary>
    EverythingKilled,

    /// <summary>One silo after the other, in good order.</summary>
    AllRestarted,
}

/// <summary>Which faults a run has: of each kind its share, in an order from a seed.</summary>
internal static class ChaosFaults
{
    /// <summary>Of 540 faults.</summary>
    private static readonly (ChaosFault Fault, int Share)[] Shares =
    [
        (ChaosFault.SiloKilled, 300),
        (ChaosFault.DatabaseKilled, 60),
        (ChaosFault.CutOff, 20),
        (ChaosFault.SendsNothing, 20),
        (ChaosFault.HearsNothing, 20),
        (ChaosFault.SiloPaused, 70),
        (ChaosFault.DatabasePaused, 30),
        (ChaosFault.EverythingKilled, 10),
        (ChaosFault.AllRestarted, 10),
    ];

    /// <param name="count">At least one of each kind, whatever its share.</param>
    public static ChaosFault[] Draw(int count, Random random)
    {
        int shares = Shares.Sum(kind => kind.Share);
        ChaosFault[] faults =
            [.. Shares.SelectMany(kind => Enumerable.Repeat(kind.Fault, Math.Max(1, count * kind.Share / shares)))];
        random.Shuffle(faults);
        return faults;
    }
}
