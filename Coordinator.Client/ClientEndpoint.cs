namespace Coordinator.Client;

/// <summary>Addresses of silos as text. Invariant: what is valid here can be connected to.</summary>
internal static class ClientEndpoint
{
    public static bool IsValid(string? text) => TryParse(text, out _);

    /// <summary>Where the WebSocket of the silo at <paramref name="endpoint"/> is.</summary>
    public static Uri ConnectUri(string endpoint)
    {
        if (!TryParse(endpoint, out Uri? uri))
            throw new ArgumentException($"\"{endpoint}\" is not an http or https address.", nameof(endpoint));
        string scheme = uri.Scheme == Uri.UriSchemeHttps ? Uri.UriSchemeWss : Uri.UriSchemeWs;
        return new UriBuilder(uri) { Scheme = scheme, Path = uri.AbsolutePath.TrimEnd('/') + "/v1/connect" }.Uri;
    }

    /// <summary>
    /// The address that a silo names as the leader's, or null if it is none that may be followed: a silo reached
    /// over TLS must not send the client to one without.
    /// </summary>
    public static string? Hinted(string hint, string current)
    {
        if (hint.Length == 0 || !TryParse(current, out Uri? from))
            return null;
        if (!hint.Contains("://", StringComparison.Ordinal))
            hint = $"{from.Scheme}://{hint}";
        if (!TryParse(hint, out Uri? to) || (from.Scheme == Uri.UriSchemeHttps && to.Scheme != Uri.UriSchemeHttps))
            return null;
        return to.GetLeftPart(UriPartial.Path).TrimEnd('/');
    }

    private static bool TryParse(string? text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Uri? uri) =>
        Uri.TryCreate(text, UriKind.Absolute, out uri)
        && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
        && uri.Query.Length == 0 && uri.Fragment.Length == 0 && uri.UserInfo.Length == 0;
}
