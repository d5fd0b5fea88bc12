namespace Coordinator.Tests.EndToEnd;

/// <summary>Tests that start silos run one after another: each wants the machine's cores for itself to be in time.</summary>
[CollectionDefinition(Name)]
public sealed class SiloProcesses
{
    public const string Name = "Silo processes";
}
