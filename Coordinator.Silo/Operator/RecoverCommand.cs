using System.Buffers;
using Coordinator.Grains.Backup;
using Coordinator.Grains.Recovery;
using Coordinator.Replica;
using Coordinator.Silo.Hosting;

namespace Coordinator.Silo.Operator;

/// <summary>
/// recover plan and recover rebuild. Invariant: what is stored stays as it is; a rebuild makes a file, and --restore a new
/// cluster of that.
/// </summary>
internal sealed class RecoverCommand
{
    private readonly List<SiloToRecover> _silos = [];
    private string? _confirmed;
    private int? _group;
    private bool _isAll;

    public static Task PlanAsync(IReadOnlyList<string> args, CancellationToken stopping) =>
        Parse(args).PlanAsync(stopping);

    /// <param name="path">A file, or with --all a folder with one of each group.</param>
    public static Task RebuildAsync(string path, IReadOnlyList<string> args, CancellationToken stopping)
    {
        RecoverCommand command = Parse(args);
        return command._isAll ? command.RebuildAllAsync(path, stopping) : command.RebuildAsync(path, stopping);
    }

    private async Task RebuildAsync(string file, CancellationToken stopping)
    {
        await using NewFile target = NewFile.Create(file);
        IReadOnlyList<RecoveryPlan> plans = await ConfirmedAsync(stopping);
        await WriteAsync(target.Stream, plans[0], stopping);
        SnapshotFile made = target.Verify();
        target.Keep();
        await SnapshotShow.WriteAsync(Console.Out, target.Path, made);
        await Console.Out.WriteLineAsync(
            "Start a silo on an empty data folder with --restore and this file. Never start one of the old silos again.");
    }

    /// <summary>A group that has a quorum is rebuilt with the others: they are restored together.</summary>
    private async Task RebuildAllAsync(string folder, CancellationToken stopping)
    {
        using NewFolder target = NewFolder.Create(folder);
        foreach (RecoveryPlan plan in await ConfirmedAsync(stopping))
            await target.AddAsync(plan.Group, stream => WriteAsync(stream, plan, stopping));
        target.Keep();
        await SnapshotShow.RunAsync(target.Path);
        await Console.Out.WriteLineAsync(
            "Start silos on empty data folders with --restore and this folder. Never start one of the old silos again.");
    }

    private async Task<IReadOnlyList<RecoveryPlan>> ConfirmedAsync(CancellationToken stopping)
    {
        IReadOnlyList<RecoveryPlan> plans = await PlanAsync(stopping);
        if (plans.All(plan => plan.HasQuorum))
        {
            throw new StartupException(
                ExitCode.Failed, "Nothing was made: a quorum is here. Start its silos; what is lost can be replaced then.");
        }
        await ConfirmAsync(plans[0], stopping);
        return plans;
    }

    private static RecoverCommand Parse(IReadOnlyList<string> args)
    {
        var command = new RecoverCommand();
        for (int i = 0; i < args.Count; i++)
        {
            string option = args[i];
            if (option == "--all")
            {
                command._isAll = true;
                continue;
            }
            if (++i == args.Count || !(SiloToRecover.IsOption(option) || option is "--yes" or "--group"))
                throw new StartupException(ExitCode.BadOptions, $"\"{option}\" is not understood. There are:\n\n{OperatorCommands.Commands}");
            if (option == "--yes")
                command._confirmed = args[i];
            else if (option == "--group")
                command._group = OperatorCommands.GroupOf(args[i]);
            else
                command._silos.Add(new SiloToRecover(option, args[i]));
        }
        if (command is { _isAll: true, _group: not null })
            throw new StartupException(ExitCode.BadOptions, $"It is --group or --all. There are:\n\n{OperatorCommands.Commands}");
        return command._silos.Count > 0
            ? command
            : throw new StartupException(ExitCode.BadOptions, $"Which silos are left? There are:\n\n{OperatorCommands.Commands}");
    }

    /// <summary>One for each group that was asked for.</summary>
    private async Task<IReadOnlyList<RecoveryPlan>> PlanAsync(CancellationToken stopping)
    {
        List<SurvivingDatabase> databases = [];
        foreach (SiloToRecover silo in _silos)
            databases.Add(await silo.ReadAsync(stopping));
        // Databases of two clusters are refused by the first plan.
        int?[] groups = _isAll ? [.. Enumerable.Range(0, databases.Max(one => one.Groups)).Select(group => (int?)group)] : [_group];
        List<RecoveryPlan> plans = [];
        foreach (int? group in groups)
            plans.Add(await PlanAsync(group is { } one ? [.. databases.Select(all => all.OfGroup(one))] : databases, group));
        return plans;
    }

    private static async Task<RecoveryPlan> PlanAsync(IReadOnlyList<SurvivingDatabase> databases, int? group)
    {
        try
        {
            var plan = RecoveryPlan.Of(databases);
            await RecoveryReport.WriteAsync(Console.Out, plan);
            return plan;
        }
        catch (RecoveryException e)
        {
            throw new StartupException(ExitCode.Failed, group is null ? e.Message : $"Group {group}: {e.Message}", e);
        }
    }

    private async Task ConfirmAsync(RecoveryPlan plan, CancellationToken stopping)
    {
        string? typed = _confirmed;
        if (typed is null)
        {
            await Console.Out.WriteAsync("What is lost will be given up. Type the cluster's id to go on: ");
            typed = await Console.In.ReadLineAsync(stopping);
        }
        if (!Guid.TryParse(typed, out Guid id) || id != plan.ClusterId)
            throw new StartupException(ExitCode.Failed, $"Nothing was made: \"{typed}\" is not the cluster's id, {plan.ClusterId}.");
    }

    private static async Task WriteAsync(Stream to, RecoveryPlan plan, CancellationToken stopping)
    {
        var bytes = new ArrayBufferWriter<byte>();
        plan.State.WriteSnapshot(bytes);
        foreach (ReadOnlyMemory<byte> piece in SnapshotFile.PiecesOf(SavedState.Of(plan.State, bytes.WrittenMemory)))
            await to.WriteAsync(piece, stopping);
    }
}
