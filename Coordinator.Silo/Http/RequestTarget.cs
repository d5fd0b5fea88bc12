using Coordinator.Contracts;
using Microsoft.AspNetCore.Http.Features;

namespace Coordinator.Silo.Http;

/// <summary>
/// What a request line asks for, read from its raw target: ASP.NET's own path has "a/../b" collapsed and some escapes
/// decoded, and both would change names. Invariant: the segments are exactly what was sent between the slashes.
/// </summary>
internal sealed class RequestTarget
{
    private RequestTarget(string[] segments, string query)
    {
        Segments = segments;
        Query = query;
    }

    /// <summary>Still encoded.</summary>
    public string[] Segments { get; }

    /// <summary>Still encoded, without the question mark.</summary>
    public string Query { get; }

    public static RequestTarget Of(HttpContext context)
    {
        ReadOnlySpan<char> raw = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        int question = raw.IndexOf('?');
        string query = question < 0 ? "" : raw[(question + 1)..].ToString();
        ReadOnlySpan<char> path = PathOf(question < 0 ? raw : raw[..question]);
        return new RequestTarget(path.StartsWith("/") ? path[1..].ToString().Split('/') : [path.ToString()], query);
    }

    /// <summary>The name that some segments spell, with '/' between them, plain or as %2F.</summary>
    /// <returns>Null if it is valid, otherwise why not.</returns>
    public static Refusal? ReadName(ReadOnlySpan<string> segments, out string name)
    {
        name = PercentEncoding.Decode(string.Join('/', segments!)) ?? "";
        if (name.Length == 0 && !segments.IsEmpty && segments is not [""])
            return new Refusal(ErrorCode.InvalidName, "The name in the path is not percent-encoded UTF-8.");
        return ResourceName.Problem(name) is { } problem ? new Refusal(ErrorCode.InvalidName, problem) : null;
    }

    // A proxy's form of the target is "http://host/path"; the host was compared with the Host header by the server.
    private static ReadOnlySpan<char> PathOf(ReadOnlySpan<char> target)
    {
        int scheme = target.IndexOf("://");
        if (target.StartsWith("/") || scheme < 0)
            return target;
        ReadOnlySpan<char> rest = target[(scheme + 3)..];
        int slash = rest.IndexOf('/');
        return slash < 0 ? "/" : rest[slash..];
    }
}
