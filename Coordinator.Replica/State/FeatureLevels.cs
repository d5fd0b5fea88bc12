using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>
/// What a program can apply (rule 25). A group's own level is replicated and gates what apply may do, so that replicas
/// of two versions never apply one entry differently.
/// </summary>
public static class FeatureLevels
{
    /// <summary>Sessions, holdings of all kinds, configuration with its history, and the raising of the level itself.</summary>
    public const int First = 1;

    /// <summary>The log carries hashes of the state, and a replica that differs takes itself out (rule 9).</summary>
    public const int StateHashInLog = 2;

    /// <summary>A group that was restored grants nothing for a while; its snapshots say until when (rule 19).</summary>
    public const int GrantsHeldBack = 3;

    /// <summary>The highest that this program knows.</summary>
    public const int Known = GrantsHeldBack;

    /// <summary>The level from which on a group applies the operation.</summary>
    public static int Required(Command.OperationOneofCase operation) =>
        operation == Command.OperationOneofCase.CheckState ? StateHashInLog : First;

    /// <summary>Why a replica whose program supports too low a level has stopped.</summary>
    internal static string Unsupported(int level, int supported) =>
        $"The group is at feature level {level}, this program supports {supported}: upgrade this silo.";

    /// <summary>The command as a program of that level reads it, to which later operations are unknown fields.</summary>
    internal static Command AsReadAt(int level, Command command)
    {
        if (Required(command.OperationCase) <= level)
            return command;
        Command unknown = command.Clone();
        unknown.ClearOperation();
        return unknown;
    }
}
