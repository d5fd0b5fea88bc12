namespace Coordinator.Tests.Storage.Equivalence;

/// <summary>Runs one script on two storages, step by step.</summary>
internal static class StorageScript
{
    private const int StepsMax = 15;

    /// <returns>Null: no difference. Else the script up to it, and both answers.</returns>
    public static async Task<string?> DifferenceAsync(
        ScriptWriter script, IScriptedStorage model, IScriptedStorage real, Action<ScriptStep> ran)
    {
        var log = new List<string>();
        foreach (ScriptStep step in Enumerable.Range(0, StepsMax).Select(_ => script.Next()).Concat(script.End()))
        {
            log.Add($"{step}");
            StepResult expected = await model.RunAsync(step);
            StepResult actual = await real.RunAsync(step);
            log.Add($"    {actual.Text}");
            if (expected.Text != actual.Text)
                return Told(log, expected.Text, actual.Text);
            ran(step);
            script.Learn(step, actual);
            if (script.IsDown)
                continue;
            IReadOnlyList<string> modelled = await model.ReadAllAsync();
            IReadOnlyList<string> stored = await real.ReadAllAsync();
            if (!modelled.SequenceEqual(stored))
                return Told(log, string.Join("\n  ", modelled.Except(stored)), string.Join("\n  ", stored.Except(modelled)));
        }
        return null;
    }

    private static string Told(List<string> log, string model, string real) =>
        $"{string.Join('\n', log)}\nThe model only:\n  {model}\nPostgreSQL only:\n  {real}";
}
