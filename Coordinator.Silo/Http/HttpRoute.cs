namespace Coordinator.Silo.Http;

/// <param name="parameter">The segments that stand for the template's parameter, still encoded.</param>
internal delegate Task RouteHandler(HttpContext context, RequestTarget target, string[] parameter);

/// <summary>
/// One thing that can be asked over HTTP. What is on the router's list is served, documented and fuzzed; nothing else is.
/// </summary>
/// <param name="Method">GET answers HEAD too.</param>
/// <param name="Template">
/// Words, and at most one parameter: "{id}" is one segment, "{name}" all that the words around it leave.
/// </param>
internal sealed record HttpRoute(string Method, string Template, RouteHandler Handler)
{
    public const string NameParameter = "{name}";

    private readonly string[] _parts = Template[1..].Split('/');

    private int ParameterAt => Array.FindIndex(_parts, part => part.StartsWith('{'));

    // Case counts, as it does to the server: that expects a body after "HeAD".
    public bool Serves(string method) =>
        method == Method || (method == HttpMethods.Head && Method == HttpMethods.Get);

    /// <returns>The parameter's segments; null when the path is not of this template.</returns>
    public string[]? Match(ReadOnlySpan<string> segments)
    {
        int head = ParameterAt;
        if (head < 0)
            return segments.SequenceEqual(_parts) ? [] : null;
        int tail = _parts.Length - head - 1;
        int count = segments.Length - head - tail;
        // No name at all before a verb is a bad name; no name at the end is the path of the collection.
        bool fits = _parts[head] == NameParameter ? count >= (tail == 0 ? 1 : 0) : count == 1;
        return fits && segments[..head].SequenceEqual(_parts.AsSpan(0, head))
            && segments[^tail..].SequenceEqual(_parts.AsSpan(head + 1))
                ? segments[head..^tail].ToArray()
                : null;
    }

    public static RouteHandler WithName(Func<HttpContext, RequestTarget, string, Task> next) =>
        (context, target, parameter) => RequestTarget.ReadName(parameter, out string name) is { } refusal
            ? Problems.WriteAsync(context, refusal)
            : next(context, target, name);
}
