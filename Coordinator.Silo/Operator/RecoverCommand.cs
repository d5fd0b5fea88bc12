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

    public static Task PlanAsync(IReadOnlyList<string> args, CancellationToken stopping) =>
        Parse(args).PlanAsync(stopping);

    public static async Task RebuildAsync(string file, IReadOnlyList<string> args, CancellationToken stopping)
    {
        RecoverCommand command = Parse(args);
        await using NewFile target = NewFile.Create(file);
        RecoveryPlan plan = await command.PlanAsync(stopping);
        if (plan.HasQuorum)
        {
            throw new StartupException(
                ExitCode.Failed, "Nothing was made: a quorum is here. Start its silos; what is lost can be replaced then.");
        }
        await command.ConfirmAsync(plan, stopping);
        foreach (ReadOnlyMemory<byte> piece in SnapshotFile.PiecesOf(StateOf(plan)))
            await target.Stream.WriteAsync(piece, stopping);
        SnapshotFile made = target.Verify();
        target.Keep();
        await SnapshotShow.WriteAsync(Console.Out, target.Path, made);
        await Console.Out.WriteLineAsync(
            "Start a silo on an empty data folder with --restore and this file. Never start one of the old silos again.");
    }

    private static RecoverCommand Parse(IReadOnlyList<string> args)
    {
        var command = new RecoverCommand();
        for (int i = 0; i < args.Count; i += 2)
        {
            if (i + 1 == args.Count || !(SiloToRecover.IsOption(args[i]) || args[i] is "--yes" or "--group"))
                throw new StartupException(ExitCode.BadOptions, $"\"{args[i]}\" is not understood. There are:\n\n{OperatorCommands.Commands}");
            if (args[i] == "--yes")
                command._confirmed = args[i + 1];
            else if (args[i] == "--group")
                command._group = OperatorCommands.GroupOf(args[i + 1]);
            else
                command._silos.Add(new SiloToRecover(args[i], args[i + 1]));
        }
        return command._silos.Count > 0
            ? command
            : throw new StartupException(ExitCode.BadOptions, $"Which silos are left? There are:\n\n{OperatorCommands.Commands}");
    }

    private async Task<RecoveryPlan> PlanAsync(CancellationToken stopping)
    {
        List<SurvivingDatabase> databases = [];
        foreach (SiloToRecover silo in _silos)
        {
            SurvivingDatabase all = await silo.ReadAsync(stopping);
            databases.Add(_group is { } group ? all.OfGroup(group) : all);
        }
        try
        {
            var plan = RecoveryPlan.Of(databases);
            await RecoveryReport.WriteAsync(Console.Out, plan);
            return plan;
        }
        catch (RecoveryException e)
        {
            throw new StartupException(ExitCode.Failed, e.Message, e);
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

    private static SavedState StateOf(RecoveryPlan plan)
    {
        var bytes = new ArrayBufferWriter<byte>();
        plan.State.WriteSnapshot(bytes);
        return SavedState.Of(plan.State, bytes.WrittenMemory);
    }
}
