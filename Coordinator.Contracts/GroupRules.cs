namespace Coordinator.Contracts;

/// <summary>
/// Which group serves a request. Invariant: all names in it belong to that group (rule 21); one that names nothing has to
/// say which. Asked by the silo, whatever a client has worked out, about requests whose names have been checked.
/// </summary>
public static class GroupRules
{
    /// <param name="said">The group that the request says it is for; null: it leaves that to its names.</param>
    /// <param name="groups">Of the cluster; at least 1.</param>
    public static GroupRoute Route(Command command, int? said, int groups) =>
        groups == 1 ? Alone(said) : Route(NamesOf(command), said, groups);

    /// <inheritdoc cref="Route(Command, int?, int)"/>
    public static GroupRoute Route(Query query, int? said, int groups) =>
        groups == 1 ? Alone(said) : Route(NamesOf(query), said, groups);

    /// <inheritdoc cref="Route(Command, int?, int)"/>
    public static GroupRoute Route(Watch watch, int? said, int groups) =>
        groups == 1 ? Alone(said) : Route(NamesOf(watch), said, groups);

    /// <summary>Null: the cluster has such a group.</summary>
    public static (ErrorCode Code, string Message)? Check(int group, int groups) => group >= 0 && group < groups
        ? null
        : (ErrorCode.InvalidRequest, groups == 1
            ? $"There is no group {group}; there is group 0."
            : $"There is no group {group}; there are groups 0 to {groups - 1}.");

    private static GroupRoute Alone(int? said) => new(0, Check(said ?? 0, 1));

    private static GroupRoute Route(IEnumerable<Named> names, int? said, int groups)
    {
        if (said is { } asked && Check(asked, groups) is { } problem)
            return new GroupRoute(0, problem);
        (int Group, string Text)? first = null;
        string? open = null;
        foreach (Named name in names)
        {
            int? group = name.IsPrefix ? GroupOfName.OfPrefix(name.Text, groups) : GroupOfName.Of(name.Text, groups);
            if (group is { } known)
            {
                first ??= (known, name.Text);
                if (first.Value.Group != known)
                    return Spans($"\"{first.Value.Text}\" belongs to group {first.Value.Group}, \"{name.Text}\" to group {known}: one "
                        + "request is about names of one group. Names with the same first part, up to the '/', are in one group.");
            }
            else if (name.HasToBeWhole)
            {
                return Spans($"Names that begin with \"{name.Text}\" are in several groups, and all of them are meant: let the prefix hold "
                    + "the whole first part of the names, with its '/'.");
            }
            else
            {
                open = name.Text;
            }
        }
        return (first, said) switch
        {
            ({ } one, null) => new GroupRoute(one.Group, null),
            ({ } one, { } given) when one.Group == given => new GroupRoute(given, null),
            ({ } one, { } given) => Spans($"\"{one.Text}\" belongs to group {one.Group}, and the request is for group {given}, by its "
                + "session or in so many words: a session is used with names of its own group alone."),
            (null, { } given) => new GroupRoute(given, null),
            _ when open is not null => Spans($"Names that begin with \"{open}\" are in several groups: let the prefix hold the whole "
                + "first part of the names, with its '/', or say which \"group\", and ask each."),
            _ => new GroupRoute(0, (ErrorCode.InvalidRequest,
                $"No name says which of the {groups} groups this is for: say \"group\", from 0 to {groups - 1}.")),
        };
    }

    private static GroupRoute Spans(string message) => new(0, (ErrorCode.SpansGroups, message));

    private static IEnumerable<Named> NamesOf(Command command)
    {
        switch (command.OperationCase)
        {
            case Command.OperationOneofCase.AcquireLock:
                return [Named.One(command.AcquireLock.Name), .. command.AcquireLock.Also.Select(also => Named.One(also.Name))];
            case Command.OperationOneofCase.Transaction:
                return NamesOf(command.Transaction);
            case Command.OperationOneofCase.RollBackConfig:
                return [Named.Prefix(command.RollBackConfig.Prefix)];
            default:
                return NameOf(command) is { } name ? [Named.One(name)] : [];
        }
    }

    private static string? NameOf(Command command) => command.OperationCase switch
    {
        Command.OperationOneofCase.ReleaseLock => command.ReleaseLock.Name,
        Command.OperationOneofCase.DowngradeLock => command.DowngradeLock.Name,
        Command.OperationOneofCase.ForceRelease => command.ForceRelease.Name,
        Command.OperationOneofCase.RequestRelease => command.RequestRelease.Name,
        Command.OperationOneofCase.AcquireLease => command.AcquireLease.Name,
        Command.OperationOneofCase.RenewLease => command.RenewLease.Name,
        Command.OperationOneofCase.ReleaseLease => command.ReleaseLease.Name,
        Command.OperationOneofCase.Proclaim => command.Proclaim.Name,
        Command.OperationOneofCase.HandOver => command.HandOver.Name,
        Command.OperationOneofCase.PutConfig => command.PutConfig.Key,
        Command.OperationOneofCase.DeleteConfig => command.DeleteConfig.Key,
        _ => null,
    };

    private static IEnumerable<Named> NamesOf(Transaction transaction) =>
    [
        .. transaction.Compares.Select(compare => Named.One(compare.Key)),
        .. transaction.Then.Concat(transaction.Else).Select(operation => operation.OperationCase switch
        {
            ConfigOperation.OperationOneofCase.Put => Named.One(operation.Put.Key),
            ConfigOperation.OperationOneofCase.Delete => Named.One(operation.Delete.Key),
            ConfigOperation.OperationOneofCase.Get => Named.One(operation.Get.Key),
            _ => Named.WholePrefix(operation.DeletePrefix?.Prefix ?? ""),
        }),
    ];

    private static IEnumerable<Named> NamesOf(Query query) => query.QueryCase switch
    {
        Query.QueryOneofCase.GetConfig => [Named.One(query.GetConfig.Key)],
        Query.QueryOneofCase.GetLock => [Named.One(query.GetLock.Name)],
        Query.QueryOneofCase.ListConfig => [Named.Prefix(query.ListConfig.Prefix)],
        Query.QueryOneofCase.ListLocks => [Named.Prefix(query.ListLocks.Prefix)],
        _ => [],
    };

    private static IEnumerable<Named> NamesOf(Watch watch) => watch.WatchCase switch
    {
        Watch.WatchOneofCase.Config => [watch.Config.IsPrefix ? Named.Prefix(watch.Config.Key) : Named.One(watch.Config.Key)],
        Watch.WatchOneofCase.Election => [Named.One(watch.Election.Name)],
        _ => [],
    };

    /// <param name="HasToBeWhole">Of a prefix: what is meant by it must be in one group, whatever the request says.</param>
    private readonly record struct Named(string Text, bool IsPrefix, bool HasToBeWhole)
    {
        public static Named One(string name) => new(name, IsPrefix: false, HasToBeWhole: false);

        /// <summary>A part of it can be asked for: that in one group.</summary>
        public static Named Prefix(string prefix) => new(prefix, IsPrefix: true, HasToBeWhole: false);

        public static Named WholePrefix(string prefix) => new(prefix, IsPrefix: true, HasToBeWhole: true);
    }
}

/// <param name="Group">That serves it, unless it is refused.</param>
/// <param name="Refusal">Null: none.</param>
public readonly record struct GroupRoute(int Group, (ErrorCode Code, string Message)? Refusal);
