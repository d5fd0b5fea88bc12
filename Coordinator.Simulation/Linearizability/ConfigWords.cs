using System.Globalization;

namespace Coordinator.Simulation.Linearizability;

/// <summary>Operations on configuration keys in words.</summary>
internal static class ConfigWords
{
    public static string Of(ConfigInput input, ConfigOutput? output) =>
        $"{Of(input)}: {(output is null ? "unknown" : Of(output))}";

    private static string Of(ConfigInput input) => input switch
    {
        ConfigInput.Put put => $"put \"{put.Value}\"",
        ConfigInput.Delete => "delete",
        ConfigInput.CompareAndSet cas => $"put \"{cas.Value}\" {Of(cas.Expected)}",
        ConfigInput.CompareAndDelete cad => $"delete {Of(cad.Expected)}",
        ConfigInput.Transact transaction =>
            $"{Of(transaction.Expected)} {Of(transaction.Then)} else {Of(transaction.Else)}",
        _ => "get",
    };

    private static string Of(ConfigExpectation expected) => expected switch
    {
        ConfigExpectation.ValueIs { Value: null } => "if absent",
        ConfigExpectation.ValueIs value => $"if value is \"{value.Value}\"",
        ConfigExpectation.VersionIs version => $"if version is {version.Version}",
        ConfigExpectation.RevisionIs revision => $"if revision is {revision.Revision}",
        _ => $"if {expected}",
    };

    private static string Of(ConfigAction? action) => action switch
    {
        null => "nothing",
        ConfigAction.Put put => $"put \"{put.Value}\"",
        ConfigAction.Delete => "delete",
        _ => "get",
    };

    private static string Of(ConfigOutput output) => output switch
    {
        ConfigOutput.Found found => $"\"{found.Value}\" version {found.Version} revision {found.Revision}",
        ConfigOutput.Stored stored => $"version {stored.Version} revision {stored.Revision}",
        ConfigOutput.Deleted deleted => $"revision {deleted.Revision?.ToString(CultureInfo.InvariantCulture) ?? "unknown"}",
        ConfigOutput.NotFound => "not found",
        ConfigOutput.Transacted transacted =>
            $"{(transacted.IsThen ? "held" : "else")} revision {transacted.Revision}{(transacted.Told is { } told ? $", {Of(told)}" : "")}",
        _ => "differed",
    };
}
