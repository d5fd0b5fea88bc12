namespace Coordinator.Simulation.Running;

/// <summary>
/// Zeller and Hildebrandt's ddmin: a part of a failing list that still fails, and from which no single item can be taken
/// away.
/// </summary>
internal static class DeltaDebugging
{
    public static IReadOnlyList<T> Minimize<T>(IReadOnlyList<T> failing, Func<IReadOnlyList<T>, bool> fails)
    {
        if (failing.Count == 0 || fails([]))
            return [];
        int granularity = 2;
        while (failing.Count > 1)
        {
            IReadOnlyList<IReadOnlyList<T>> parts = Split(failing, granularity);
            if (parts.FirstOrDefault(fails) is { } part)
            {
                failing = part;
                granularity = 2;
            }
            else if (granularity > 2 && Complements(failing, parts).FirstOrDefault(fails) is { } rest)
            {
                failing = rest;
                granularity--;
            }
            else if (granularity < failing.Count)
            {
                granularity = Math.Min(failing.Count, 2 * granularity);
            }
            else
            {
                break;
            }
        }
        return failing;
    }

    private static IReadOnlyList<T>[] Split<T>(IReadOnlyList<T> items, int parts) =>
        [.. Enumerable.Range(0, parts).Select(part =>
            (IReadOnlyList<T>)[.. items.Take((part + 1) * items.Count / parts).Skip(part * items.Count / parts)])];

    private static IEnumerable<IReadOnlyList<T>> Complements<T>(IReadOnlyList<T> items, IReadOnlyList<IReadOnlyList<T>> parts) =>
        parts.Select(part => (IReadOnlyList<T>)[.. items.Except(part)]);
}
