using System.Globalization;
using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

internal enum FieldKind { Text, Number, Flag, List, Other }

/// <param name="Text">The text, the number's digits as they were sent, or "true" or "false".</param>
/// <param name="Items">Of a list of objects.</param>
internal readonly record struct Field(FieldKind Kind, string Text, IReadOnlyList<Fields>? Items = null);

/// <summary>
/// The named fields of one request, from its JSON body or its query string. Reading one marks it as known; the first
/// thing wrong is kept, and what is read after that means nothing. Invariant: a request whose <see cref="Finish"/> is
/// null had every field known, of the right type and within its bounds.
/// </summary>
/// <param name="untyped">All values are text, as in a query string: digits are a number.</param>
internal sealed class Fields(Dictionary<string, Field> fields, bool untyped)
{
    private Refusal? _problem;
    private string _saidBy = "";

    /// <summary>
    /// The group that the request says it is for, by a session or in so many words; null: it leaves that to its names.
    /// </summary>
    public int? SaidGroup { get; private set; }

    /// <summary>What is wrong: the first bad field, or else one that nobody read.</summary>
    public Refusal? Finish()
    {
        if (_problem is null && fields.Keys.Order(StringComparer.Ordinal).FirstOrDefault() is { } unknown)
            Refuse(ErrorCode.InvalidRequest, $"There is no field \"{unknown}\" here.");
        return _problem;
    }

    /// <summary>A number or a number in a string: ids are 64 bits, which JSON's readers do not all keep.</summary>
    /// <returns>0 when it is missing and not required.</returns>
    public long Id(string name, bool required)
    {
        if (!Take(name, required, ErrorCode.InvalidRequest, out Field field))
            return 0;
        if (field.Kind is FieldKind.Text or FieldKind.Number && IsCount(field.Text, out long id))
            return id;
        return Refuse(ErrorCode.InvalidRequest, $"\"{name}\" is not an id: a whole number from 1 on.");
    }

    /// <summary>A session's id, which says the group too.</summary>
    /// <param name="groups">Of the cluster.</param>
    /// <returns>0 when it is missing and not required.</returns>
    public long Session(string name, bool required, int groups)
    {
        if (!Take(name, required, ErrorCode.InvalidRequest, out Field field))
            return 0;
        if (field.Kind is not (FieldKind.Text or FieldKind.Number) || SessionIds.Parse(field.Text, groups) is not { } session)
            return Refuse(ErrorCode.InvalidRequest, $"\"{name}\": {SessionIds.Allowed(groups)}");
        SayGroup(session.Group, $"session {field.Text}");
        return session.Id;
    }

    /// <summary>The group's number, where no name says which one is meant.</summary>
    public void Group(int groups)
    {
        if (CountOrZero("group") is not { } group)
            return;
        if (group < groups)
            SayGroup((int)group, "\"group\"");
        else
            Refuse(ErrorCode.InvalidRequest, groups == 1 ? "There is only group 0." : $"There are groups 0 to {groups - 1}.");
    }

    /// <param name="by">What of the request says so.</param>
    public void SayGroup(int group, string by)
    {
        if (SaidGroup is { } said && said != group)
            Refuse(ErrorCode.SpansGroups, $"Of group {said} is {_saidBy}, of group {group} {by}: one request is about one group.");
        (SaidGroup, _saidBy) = (group, by);
    }

    /// <returns>0 when it is missing.</returns>
    public long Count(string name, long max = long.MaxValue)
    {
        if (!Take(name, required: false, ErrorCode.InvalidRequest, out Field field))
            return 0;
        if (IsNumber(field) && IsCount(field.Text, out long count) && count <= max)
            return count;
        return Refuse(ErrorCode.InvalidRequest, $"\"{name}\" is not a whole number from 1 to {max}.");
    }

    public string? Text(string name)
    {
        if (!Take(name, required: false, ErrorCode.InvalidRequest, out Field field))
            return null;
        if (field.Kind == FieldKind.Text)
            return field.Text;
        Refuse(ErrorCode.InvalidRequest, $"\"{name}\" is not a string.");
        return null;
    }

    /// <param name="problemOf">The rule for it: null, or what is wrong.</param>
    public string Text(string name, Func<string?, string?> problemOf, ErrorCode code)
    {
        string text = Text(name) ?? "";
        if (problemOf(text) is { } problem)
            Refuse(code, $"\"{name}\": {problem}");
        return text;
    }

    /// <summary>A number, where 0 says something else than that it is missing.</summary>
    public long? CountOrZero(string name)
    {
        if (!Take(name, required: false, ErrorCode.InvalidRequest, out Field field))
            return null;
        if (IsNumber(field) && (field.Text == "0" || IsCount(field.Text, out _)))
            return long.Parse(field.Text, NumberStyles.None, CultureInfo.InvariantCulture);
        Refuse(ErrorCode.InvalidRequest, $"\"{name}\" is not a whole number from 0 on.");
        return null;
    }

    public bool? Flag(string name)
    {
        if (!Take(name, required: false, ErrorCode.InvalidRequest, out Field field))
            return null;
        if (field.Text is "true" or "false" && (field.Kind == FieldKind.Flag || untyped))
            return field.Text == "true";
        Refuse(ErrorCode.InvalidRequest, $"\"{name}\" is neither true nor false.");
        return null;
    }

    /// <summary>A list of objects.</summary>
    /// <returns>Empty when it is missing.</returns>
    public IReadOnlyList<Fields> List(string name)
    {
        if (!Take(name, required: false, ErrorCode.InvalidRequest, out Field field))
            return [];
        if (field.Items is { } items)
            return items;
        Refuse(ErrorCode.InvalidRequest, $"\"{name}\" is not a list of objects.");
        return [];
    }

    /// <summary>Whether it is there; it stays unread.</summary>
    public bool Has(string name) => fields.ContainsKey(name);

    /// <summary>One of a few words.</summary>
    /// <returns>The first of them when it is missing.</returns>
    public string Choice(string name, params ReadOnlySpan<string> choices)
    {
        if (!Take(name, required: false, ErrorCode.InvalidRequest, out Field field))
            return choices[0];
        if (field.Kind is FieldKind.Text or FieldKind.Flag && choices.Contains(field.Text))
            return field.Text;
        Refuse(ErrorCode.InvalidRequest, $"\"{name}\" is none of: {string.Join(", ", choices!)}.");
        return choices[0];
    }

    /// <summary>Seconds, fractions too, rounded up to whole microseconds.</summary>
    /// <returns>Null when it is missing.</returns>
    public long? Microseconds(string name, ErrorCode code, TimeSpan min, TimeSpan max)
    {
        if (!Take(name, required: false, code, out Field field))
            return null;
        // NumberStyles.Float knows "NaN" and "Infinity" in a query string; neither is within the bounds.
        if (IsNumber(field)
            && double.TryParse(field.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds)
            && seconds >= min.TotalSeconds && seconds <= max.TotalSeconds)
            return (long)Math.Ceiling(seconds * 1_000_000);
        Refuse(code, $"\"{name}\" is not a number of seconds from {min.TotalSeconds} to {max.TotalSeconds}.");
        return null;
    }

    /// <summary>True when the field is the string <paramref name="word"/>; otherwise it stays unread.</summary>
    public bool IsWord(string name, string word) =>
        fields.TryGetValue(name, out Field field) && field == new Field(FieldKind.Text, word) && fields.Remove(name);

    public long Refuse(ErrorCode code, string message)
    {
        _problem ??= new Refusal(code, message);
        return 0;
    }

    private bool Take(string name, bool required, ErrorCode code, out Field field)
    {
        bool found = fields.Remove(name, out field);
        if (!found && required)
            Refuse(code, $"\"{name}\" is missing.");
        return found;
    }

    private bool IsNumber(Field field) => field.Kind == FieldKind.Number || (untyped && field.Kind == FieldKind.Text);

    private static bool IsCount(string text, out long count) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count > 0;
}
