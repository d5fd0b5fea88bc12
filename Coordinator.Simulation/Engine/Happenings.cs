namespace Coordinator.Simulation.Engine;

/// <summary>How often each <see cref="Happening"/> happened.</summary>
internal sealed class Happenings
{
    public static readonly Happening[] All = Enum.GetValues<Happening>();

    private readonly long[] _counts = new long[All.Length];

    public long this[Happening happening] => _counts[(int)happening];

    public void Count(Happening happening, long times = 1) => _counts[(int)happening] += times;

    public void Add(Happenings other)
    {
        for (int i = 0; i < _counts.Length; i++)
            _counts[i] += other._counts[i];
    }

    public IEnumerable<Happening> Missing() => All.Where(happening => this[happening] == 0);
}
