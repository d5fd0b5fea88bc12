using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>
/// What a request is about, as far as that decides its group: names, prefixes, or a group itself. Valid names: whoever
/// makes one has checked them.
/// </summary>
internal readonly record struct Scope
{
    private readonly string? _name;
    private readonly IReadOnlyList<string>? _names;
    private readonly IReadOnlyList<string>? _prefixes;
    private readonly int? _group;

    private Scope(string? name, IReadOnlyList<string>? names, IReadOnlyList<string>? prefixes, int? group) =>
        (_name, _names, _prefixes, _group) = (name, names, prefixes, group);

    /// <summary>The group of a cluster that has but one.</summary>
    public static Scope OnlyGroup => default;

    public static Scope Of(string name) => new(name, null, null, null);

    /// <param name="names">At least one, unless there are prefixes.</param>
    public static Scope Of(IReadOnlyList<string> names, IReadOnlyList<string>? prefixes = null) =>
        new(null, names, prefixes, null);

    public static Scope OfPrefix(string prefix) => new(null, null, [prefix], null);

    /// <summary>The only one, if none is named.</summary>
    public static Scope OfGroup(int? group) => new(null, null, null, group);

    /// <summary>Null: there is no one group in which it is.</summary>
    /// <param name="groups">Of the cluster; at least 1.</param>
    public int? In(int groups)
    {
        if (_name is not null)
            return GroupOfName.Of(_name, groups);
        if (_group is { } group)
            return group < groups ? group : null;
        if (groups == 1)
            return 0;
        int? found = null;
        foreach (string name in _names ?? [])
        {
            if (!Agree(GroupOfName.Of(name, groups), ref found))
                return null;
        }
        foreach (string prefix in _prefixes ?? [])
        {
            if (!Agree(GroupOfName.OfPrefix(prefix, groups), ref found))
                return null;
        }
        return found;
    }

    /// <summary>Why it is in no one group.</summary>
    public (ErrorCode Code, string Message) Refusal(int groups)
    {
        if (_group is { } group && GroupRules.Check(group, groups) is { } problem)
            return problem;
        if (_name is null && _names is null && _prefixes is null)
            return (ErrorCode.InvalidRequest, $"The cluster has {groups} groups: say which one, or the namespace, is meant.");
        string[] texts = [.. _name is null ? [] : new[] { _name }, .. _names ?? [], .. _prefixes ?? []];
        string quoted = string.Join(", ", texts.Distinct().Select(text => $"\"{text}\""));
        return (ErrorCode.SpansGroups,
            $"The cluster has {groups} groups, and {quoted} is not all in one of them: give what is used together a common "
            + "namespace, the part before the first '/', such as \"orders/…\".");
    }

    private static bool Agree(int? next, ref int? found)
    {
        if (next is null || (found is not null && found != next))
            return false;
        found = next;
        return true;
    }
}
