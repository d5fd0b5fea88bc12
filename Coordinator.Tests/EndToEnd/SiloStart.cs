namespace Coordinator.Tests.EndToEnd;

/// <summary>How a silo is started, where it differs from the usual way.</summary>
internal sealed record SiloStart
{
    /// <summary>Null: as built.</summary>
    public string? ProgramFolder { get; init; }

    public Dictionary<string, string> Environment { get; init; } = [];

    /// <summary>Without --listen and --data: the home's folder is the working directory all the same.</summary>
    public bool WithoutDefaultArgs { get; init; }

    public string[] DefaultArgs(SiloHome home) => WithoutDefaultArgs
        ? []
        : ["--listen", $"http://127.0.0.1:{home.Port}", "--data", home.DataFolder];
}
