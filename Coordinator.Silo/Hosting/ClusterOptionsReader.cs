using System.Net;
using System.Text;
using LinkOptions = Coordinator.Silo.Links.LinkOptions;

namespace Coordinator.Silo.Hosting;

/// <summary>Reads Coordinator:Host and Coordinator:Cluster, and gathers what is wrong with them.</summary>
internal sealed class ClusterOptionsReader(SettingReader settings)
{
    private const string LinkAllowed = "ws://HOST:PORT, where the other silos reach it";
    private const string UrlAllowed = "http://HOST:PORT, where clients reach it";
    private const string ListenAllowed = "ws://ADDRESS:PORT, where ADDRESS is an IP address, localhost or * (all)";
    private const int SilosMax = 9;

    /// <summary>Null: another host.</summary>
    public ClusterOptions? Read(HostKind host)
    {
        bool isCluster = host == HostKind.Cluster;
        string? siloId = settings.OptionalText("Cluster:SiloId");
        List<ClusterSilo> silos = ReadSilos();
        ClusterSilo? own = silos.FirstOrDefault(silo => silo.Id == siloId);
        // Where a silo is called is where it listens, unless it says otherwise: behind a name, or another port.
        IPEndPoint? listen = settings.OptionalText("Cluster:LinkListen") is { } text
            ? ParseListen(text)
            : own is null ? new IPEndPoint(IPAddress.Loopback, 0) : ParseListen(own.Link.GetLeftPart(UriPartial.Authority));
        ClusterOptions options = new()
        {
            Name = settings.Text("Cluster:Name", "coordinator"),
            Secret = ReadSecret(isCluster),
            SiloId = siloId ?? "",
            LinkListen = listen ?? new IPEndPoint(IPAddress.Loopback, 0),
            Silos = silos,
            ReplaceLostPeersAfter = settings.ReplaceLostPeersAfter("Cluster"),
        };
        if (isCluster)
            Check(options, own, listen);
        else if (siloId is not null || silos.Count > 0)
            settings.AddProblem($"Coordinator:Cluster is given, and Coordinator:Host is {host}: set Coordinator:Host to Cluster, or leave it out.");
        return isCluster ? options : null;
    }

    private void Check(ClusterOptions options, ClusterSilo? own, IPEndPoint? listen)
    {
        if (options.Silos.Count is 0 or > SilosMax)
        {
            settings.AddProblem(
                $"Coordinator:Cluster:Silos lists {options.Silos.Count} silos: allowed are 1 to {SilosMax}. "
                + "Each has an Id, a Link and a Url.");
        }
        if (options.Silos.Select(silo => silo.Id).Distinct(StringComparer.Ordinal).Count() != options.Silos.Count)
            settings.AddProblem("Coordinator:Cluster:Silos lists two silos with the same Id.");
        if (own is null)
        {
            settings.AddProblem(
                $"Coordinator:Cluster:SiloId is \"{options.SiloId}\": allowed is the Id of one of Coordinator:Cluster:Silos"
                + $" ({string.Join(", ", options.Silos.Select(silo => silo.Id))}).");
        }
        else if (listen is null)
        {
            settings.AddProblem(
                $"Coordinator:Cluster:LinkListen is needed, or wrong: {settings.OptionalText("Cluster:LinkListen") ?? own.Link.ToString()} "
                + $"is no address to listen on. Allowed is {ListenAllowed}.");
        }
    }

    private List<ClusterSilo> ReadSilos()
    {
        List<ClusterSilo> silos = [];
        foreach (string index in settings.ChildrenOf("Cluster:Silos"))
        {
            string key = $"Cluster:Silos:{index}";
            silos.Add(new ClusterSilo(
                settings.Text($"{key}:Id", $"silo{index}"),
                settings.Read($"{key}:Link", "ws://127.0.0.1:1", text => Parse(text, "ws", "wss"), LinkAllowed),
                settings.Read($"{key}:Url", "http://127.0.0.1:1", text => Parse(text, "http", "https"), UrlAllowed)));
            foreach (string name in (string[])["Id", "Link", "Url"])
            {
                if (settings.OptionalText($"{key}:{name}") is null)
                    settings.AddProblem($"Coordinator:{key}:{name} is missing: a silo has an Id, a Link and a Url.");
            }
        }
        return silos;
    }

    // The value is never repeated in a message.
    private ReadOnlyMemory<byte> ReadSecret(bool isNeeded)
    {
        string? secret = settings.OptionalText("Cluster:Secret");
        string? file = settings.OptionalText("Cluster:SecretFile");
        if (secret is not null && file is not null)
            settings.AddProblem("Coordinator:Cluster:Secret and Coordinator:Cluster:SecretFile are both given: one of them is enough.");
        try
        {
            if (secret is null && file is not null)
                secret = File.ReadAllText(Path.GetFullPath(file)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            settings.AddProblem($"Coordinator:Cluster:SecretFile {Path.GetFullPath(file!)} cannot be read: {e.Message}");
            return default;
        }
        byte[] bytes = Encoding.UTF8.GetBytes(secret ?? "");
        if (isNeeded && bytes.Length < LinkOptions.SecretBytesMin)
        {
            settings.AddProblem(
                $"The cluster's secret has {bytes.Length} bytes: it needs at least {LinkOptions.SecretBytesMin}, best random ones, "
                + "and the same on all silos, in Coordinator:Cluster:SecretFile or Coordinator:Cluster:Secret.");
        }
        return bytes;
    }

    private static Uri? Parse(string text, params string[] schemes) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && schemes.Contains(uri.Scheme)
            && uri.Host.Length > 0 && uri.AbsolutePath is "/" && uri.Query.Length == 0
            ? uri
            : null;

    private static IPEndPoint? ParseListen(string text) => text.StartsWith("ws://", StringComparison.OrdinalIgnoreCase)
        ? ListenAddress.Parse("http" + text[2..])
        : null;
}
