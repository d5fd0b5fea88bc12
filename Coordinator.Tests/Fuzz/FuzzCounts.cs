using System.Collections.Concurrent;
using Coordinator.Tests.Silo;

namespace Coordinator.Tests.Fuzz;

/// <summary>What came of the cases, so that a run in which nothing got through, or nothing was refused, is noticed.</summary>
internal sealed class FuzzCounts
{
    private readonly ConcurrentDictionary<string, int> _counts = new();

    public int this[string what] => _counts.GetValueOrDefault(what);

    public void Count(HttpAnswer answer)
    {
        int status = (int)answer.Status;
        if (status < 500)
            Add($"HTTP {status / 100}xx");
        else
            Add($"HTTP {status}{(answer.Body.Length > 0 ? $" {answer.Code}" : "")}");
    }

    public void Closed() => Add("HTTP closed");

    public void LeftWaiting() => Add("HTTP waits left");

    public void Add(string what) => _counts.AddOrUpdate(what, 1, (_, count) => count + 1);

    public override string ToString() =>
        string.Join(", ", _counts.OrderBy(count => count.Key, StringComparer.Ordinal).Select(count => $"{count.Value} {count.Key}"));
}
