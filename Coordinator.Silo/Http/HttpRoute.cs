namespace Coordinator.Silo.Http;

/// <param name="parameter">The segments that stand for the template's parameters, in order, still encoded.</param>
internal delegate Task RouteHandler(HttpContext context, RequestTarget target, string[] parameter);

/// <summary>
/// One thing that can be asked over HTTP. What is on the router's list is served, documented and fuzzed; nothing else is.
/// </summary>
/// <param name="Method">GET answers HEAD too.</param>
/// <param name="Template">
/// Words and parameters: each is one segment, but "{name}", of which there is at most one, is all that the others leave.
/// </param>
internal sealed record HttpRoute(string Method, string Template, RouteHandler Handler)
{
    public const string NameParameter = "{name}";

    private readonly string[] _parts = Template[1..].Split('/');

    // Case counts, as it does to the server: that expects a body after "HeAD".
    public bool Serves(string method) =>
        method == Method || (method == HttpMethods.Head && Method == HttpMethods.Get);

    /// <returns>The parameters' segments; null when the path is not of this template.</returns>
    public string[]? Match(ReadOnlySpan<string> segments)
    {
        int name = Array.IndexOf(_parts, NameParameter);
        if (name < 0)
            return Fits(_parts, segments) ? Parameters(_parts, segments) : null;
        int tail = _parts.Length - name - 1;
        int count = segments.Length - name - tail;
        // No name at all before a verb is a bad name; no name at the end is the path of the collection.
        return count >= (tail == 0 ? 1 : 0)
            && Fits(_parts.AsSpan(0, name), segments[..name]) && Fits(_parts.AsSpan(name + 1), segments[^tail..])
                ? segments[name..^tail].ToArray()
                : null;
    }

    private static bool Fits(ReadOnlySpan<string> parts, ReadOnlySpan<string> segments)
    {
        if (parts.Length != segments.Length)
            return false;
        for (int i = 0; i < parts.Length; i++)
        {
            if (!IsParameter(parts[i]) && parts[i] != segments[i])
                return false;
        }
        return true;
    }

    private static string[] Parameters(ReadOnlySpan<string> parts, ReadOnlySpan<string> segments)
    {
        List<string> parameters = [];
        for (int i = 0; i < parts.Length; i++)
        {
            if (IsParameter(parts[i]))
                parameters.Add(segments[i]);
        }
        return [.. parameters];
    }

    private static bool IsParameter(string part) => part.StartsWith('{');

    public static RouteHandler WithName(Func<HttpContext, RequestTarget, string, Task> next) =>
        (context, target, parameter) => RequestTarget.ReadName(parameter, out string name) is { } refusal
            ? Problems.WriteAsync(context, refusal)
            : next(context, target, name);
}
