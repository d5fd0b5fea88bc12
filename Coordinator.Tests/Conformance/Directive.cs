namespace Coordinator.Tests.Conformance;

/// <summary>One command of a case file: its arguments, its input, and what is expected to come out.</summary>
internal sealed record Directive(
    int Line,
    string Command,
    IReadOnlyList<Argument> Arguments,
    string Input,
    string Expected)
{
    /// <summary>The arguments that are bare words, as numbers.</summary>
    public IEnumerable<long> Numbers() =>
        Arguments.Where(a => a.Values is null).Select(a => long.Parse(a.Key, null));

    public Argument? Find(string key) => Arguments.FirstOrDefault(a => a.Key == key && a.Values is not null);
}

/// <summary><c>key</c>, <c>key=value</c> or <c>key=(value,value)</c>.</summary>
internal sealed record Argument(string Key, IReadOnlyList<string>? Values)
{
    public string Value => Values![0];
}
