using Coordinator.Simulation.Faults;

namespace Coordinator.Simulation.Engine;

/// <summary>How often each <see cref="Happening"/> happened, and each kind of fault.</summary>
internal sealed class Happenings
{
    public static readonly Happening[] All = Enum.GetValues<Happening>();
    public static readonly FaultKind[] AllFaults = Enum.GetValues<FaultKind>();

    private readonly long[] _counts = new long[All.Length];
    private readonly long[] _faults = new long[AllFaults.Length];

    public long this[Happening happening] => _counts[(int)happening];

    public long this[FaultKind kind] => _faults[(int)kind];

    public void Count(Happening happening, long times = 1) => _counts[(int)happening] += times;

    public void Count(FaultKind kind) => _faults[(int)kind]++;

    public void Add(Happenings other)
    {
        for (int i = 0; i < _counts.Length; i++)
            _counts[i] += other._counts[i];
        for (int i = 0; i < _faults.Length; i++)
            _faults[i] += other._faults[i];
    }

    public IEnumerable<Happening> Missing() => All.Where(happening => this[happening] == 0);

    public IEnumerable<FaultKind> MissingFaults() => AllFaults.Where(kind => this[kind] == 0);
}
