using Coordinator.Replica.Storage;

namespace Coordinator.Tests.Storage.Equivalence;

/// <summary>What a client is told: as text, which must be the same of both storages, and as the script goes on with it.</summary>
internal sealed record StepResult(string Text)
{
    public static readonly StepResult Done = new("done");

    public IReadOnlyList<WriteOutcome> Outcomes { get; init; } = [];

    public LoadedPeer? Loaded { get; init; }

    public static StepResult Of(IReadOnlyList<WriteOutcome> outcomes) =>
        new(string.Join(", ", outcomes)) { Outcomes = outcomes };

    public StepResult And(StepResult other) => new($"{Text}, {other.Text}")
    {
        Outcomes = [.. Outcomes, .. other.Outcomes],
        Loaded = Loaded ?? other.Loaded,
    };
}

/// <summary>A storage that scripts run on: the model, or PostgreSQL through the product's code.</summary>
internal interface IScriptedStorage
{
    Task<StepResult> RunAsync(ScriptStep step);

    /// <summary>All that is stored of the script's peers, in a fixed order, a line for each row.</summary>
    Task<IReadOnlyList<string>> ReadAllAsync();
}
