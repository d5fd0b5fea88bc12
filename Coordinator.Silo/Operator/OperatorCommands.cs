using System.Globalization;
using Coordinator.Silo.Hosting;

namespace Coordinator.Silo.Operator;

/// <summary>What the program does for an operator besides being a silo: one thing, and then it ends.</summary>
internal static class OperatorCommands
{
    public const string Commands = $"""
          snapshot save FILE [--url URL] [--group N]   what a group is now, into a new file (default {OptionsReader.DefaultListen}, 0)
          snapshot save FOLDER --all [--url URL]   what all groups are, a file of each into a new folder
          snapshot show FILE|FOLDER        verify a file, or all in a folder, and print what is in it
          recover plan SILO… [--group N|--all]   what is left of a group that has lost its quorum; changes nothing
          recover rebuild FILE SILO… [--group N]   what is left, into a new file for --restore; asks first, or --yes CLUSTERID
          recover rebuild FOLDER SILO… --all   the same of all groups, a file of each into a new folder

          SILO: --config FILE or --data FOLDER of a stopped silo, or --database CONNECTIONSTRING of its database
        """;

    public static bool Knows(IReadOnlyList<string> args) => args is ["snapshot" or "recover", ..];

    public static async Task<ExitCode> RunAsync(string[] args)
    {
        using CancellationTokenSource stopping = new();
        void Stop(object? sender, ConsoleCancelEventArgs e)
        {
            e.Cancel = true;
            stopping.Cancel();
        }
        Console.CancelKeyPress += Stop;
        try
        {
            await RunAsync(args, stopping.Token);
            return ExitCode.Stopped;
        }
        catch (StartupException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return e.ExitCode;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Stopped; nothing was kept.");
            return ExitCode.Forced;
        }
        finally
        {
            Console.CancelKeyPress -= Stop;
        }
    }

    /// <exception cref="StartupException">It is no number of a group.</exception>
    public static int GroupOf(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int group)
        ? group
        : throw new StartupException(ExitCode.BadOptions, $"--group is \"{text}\": allowed is the number of a group, from 0 on.");

    private static Task RunAsync(string[] args, CancellationToken stopping) => args switch
    {
        ["snapshot", "save", .. var words] => SnapshotSave.RunAsync(words, stopping),
        ["snapshot", "show", var path] => SnapshotShow.RunAsync(path),
        ["recover", "plan", .. var silos] => RecoverCommand.PlanAsync(silos, stopping),
        ["recover", "rebuild", var file, .. var silos] => RecoverCommand.RebuildAsync(file, silos, stopping),
        _ => throw new StartupException(
            ExitCode.BadOptions, $"\"{string.Join(' ', args)}\" is not understood. There are:\n\n{Commands}"),
    };
}
