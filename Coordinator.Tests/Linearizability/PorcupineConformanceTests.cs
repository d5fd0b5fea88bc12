using Coordinator.Simulation.Linearizability;
using Coordinator.Tests.Conformance;
using Xunit.Abstractions;

namespace Coordinator.Tests.Linearizability;

/// <summary>The checker against public histories whose verdicts are known.</summary>
public sealed class PorcupineConformanceTests(ITestOutputHelper output)
{
    private const string Folder = "porcupine";
    private const int EtcdHistoriesMin = 62;
    private const int KeyValueHistoriesMin = 4;

    public static TheoryData<string, string> Verdicts()
    {
        TheoryData<string, string> verdicts = [];
        foreach (string[] columns in VerdictLines())
            verdicts.Add(columns[0], columns[1]);
        return verdicts;
    }

    [ConformanceTheory(Folder)]
    [MemberData(nameof(Verdicts))]
    public void A_public_history_gets_its_known_verdict(string history, string verdict)
    {
        CheckResult result = Check(history);
        output.WriteLine(result.ToString());
        Assert.Equal(verdict, Word(result.Verdict));
    }

    [ConformanceFact(Folder)]
    public void Every_public_history_is_there_and_its_verdict_is_reproduced()
    {
        List<string[]> verdicts = VerdictLines();
        string[] files = Directory.GetFiles(ConformanceFolder.Of(Folder), "*.*", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(ConformanceFolder.Of(Folder), f).Replace('\\', '/'))
            .Where(f => f.Contains('/', StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(files, verdicts.Select(v => v[0]).Order(StringComparer.Ordinal));

        List<string> reproduced = verdicts.Where(v => Word(Check(v[0]).Verdict) == v[1]).Select(v => v[0]).ToList();
        int etcd = reproduced.Count(r => r.StartsWith("etcd/", StringComparison.Ordinal));
        int keyValue = reproduced.Count(r => r.StartsWith("kv/", StringComparison.Ordinal));
        output.WriteLine($"Verdicts reproduced: {etcd} etcd, {keyValue} kv, of {verdicts.Count}.");
        Assert.Equal(verdicts.Count, reproduced.Count);
        Assert.True(etcd >= EtcdHistoriesMin, $"{etcd} etcd histories, fewer than {EtcdHistoriesMin}");
        Assert.True(keyValue >= KeyValueHistoriesMin, $"{keyValue} kv histories, fewer than {KeyValueHistoriesMin}");
    }

    private static CheckResult Check(string history)
    {
        string path = Path.Combine(ConformanceFolder.Of(Folder), history);
        return history.Split('/')[0] switch
        {
            "etcd" => LinearizabilityChecker.Check(new RegisterModel(), PorcupineHistories.ReadEtcd(path)),
            "kv" => LinearizabilityChecker.Check(new KeyValueModel(), PorcupineHistories.ReadKeyValue(path)),
            string kind => throw new FormatException($"No model for histories of kind \"{kind}\": {history}"),
        };
    }

    private static List<string[]> VerdictLines() =>
        File.ReadLines(Path.Combine(ConformanceFolder.Of(Folder), "verdicts.tsv"))
            .Where(line => line.Length > 0).Select(line => line.Split('\t')).ToList();

    private static string Word(Verdict verdict) => verdict switch
    {
        Verdict.Linearizable => "linearizable",
        Verdict.NotLinearizable => "not-linearizable",
        _ => "undecided",
    };
}
