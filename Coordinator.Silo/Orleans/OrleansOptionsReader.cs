using System.Net;
using Coordinator.Silo.Hosting;
using Npgsql;

namespace Coordinator.Silo.Orleans;

/// <summary>Reads Coordinator:Orleans, and gathers what is wrong with it.</summary>
internal static class OrleansOptionsReader
{
    private const string EndpointAllowed = "ADDRESS:PORT, where the other silos reach this one: an IP address";

    public static OrleansOptions Read(SettingReader settings, string? connectionString)
    {
        if (connectionString is null)
        {
            settings.AddProblem(
                "Coordinator:Host is Orleans, and ConnectionStrings:Coordinator is missing: the silos of an Orleans cluster "
                + "share a PostgreSQL server, in which they find each other.");
        }
        return new()
        {
            ClusterId = settings.Text("Orleans:ClusterId", "coordinator"),
            ServiceId = settings.Text("Orleans:ServiceId", "coordinator"),
            SiloName = settings.Text("Orleans:SiloName", $"{Environment.MachineName}:{Environment.ProcessId}"),
            Endpoint = settings.Read("Orleans:Endpoint", "127.0.0.1:11111", ParseEndpoint, EndpointAllowed),
            GatewayPort = settings.Number("Orleans:GatewayPort", 30_000, 1, 65_535),
            Zone = settings.OptionalText("Orleans:Zone"),
            Databases = ReadDatabases(settings),
            ReplaceLostPeersAfter = settings.ReplaceLostPeersAfter("Orleans"),
        };
    }

    private static Dictionary<string, string> ReadDatabases(SettingReader settings)
    {
        Dictionary<string, string> databases = new(StringComparer.Ordinal);
        foreach (string name in settings.ChildrenOf("Orleans:Databases"))
        {
            try
            {
                databases[name] = new NpgsqlConnectionStringBuilder(settings.OptionalText($"Orleans:Databases:{name}")).ConnectionString;
            }
            catch (ArgumentException e)
            {
                // The value is not repeated: it may hold a password.
                settings.AddProblem($"Coordinator:Orleans:Databases:{name} is not a PostgreSQL connection string: {e.Message}");
            }
        }
        return databases;
    }

    private static IPEndPoint? ParseEndpoint(string text) =>
        IPEndPoint.TryParse(text, out IPEndPoint? endpoint) && endpoint.Port > 0 ? endpoint : null;
}
