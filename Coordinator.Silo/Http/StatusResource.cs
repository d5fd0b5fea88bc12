using System.Text.Json;
using Coordinator.Contracts;
using Coordinator.Grains;

namespace Coordinator.Silo.Http;

/// <summary>/v1/status, /health/live and /health/ready.</summary>
internal sealed class StatusResource(CheckedGateway gateway)
{
    public IReadOnlyList<HttpRoute> Routes =>
    [
        new("GET", "/v1/status", (context, _, _) => StatusAsync(context)),
        new("GET", "/health/live", (context, _, _) => LiveAsync(context)),
        new("GET", "/health/ready", (context, _, _) => ReadyAsync(context)),
    ];

    private Task StatusAsync(HttpContext context)
    {
        GroupStatus status = gateway.Group.GetStatus();
        Answers.SetPosition(context, status);
        return Answers.WriteAsync(context, json => Write(json, status, gateway.Group.IsReady));
    }

    /// <summary>The process answers: nothing more.</summary>
    private static Task LiveAsync(HttpContext context) =>
        Answers.WriteAsync(context, json => json.WriteString("status", "live"));

    private Task ReadyAsync(HttpContext context)
    {
        Answers.SetPosition(context, gateway.Group.GetStatus());
        return gateway.Group.IsReady
            ? Answers.WriteAsync(context, json => json.WriteString("status", "ready"))
            : Problems.WriteAsync(context, ErrorCode.NoQuorum, "No leader with a quorum and a database that answers now; /v1/status says what each peer does.");
    }

    private static void Write(Utf8JsonWriter json, GroupStatus status, bool ready)
    {
        json.WriteBoolean("ready", ready);
        json.WriteStartArray("groups");
        json.WriteStartObject();
        json.WriteNumber("group", status.Group);
        if (status.LeaderId == 0)
            json.WriteNull("leader");
        else
            json.WriteNumber("leader", status.LeaderId);
        json.WriteNumber("term", status.Term);
        json.WriteNumber("commitIndex", status.CommitIndex);
        json.WriteNumber("revision", status.Revision);
        json.WriteNumber("sessions", status.Sessions);
        json.WriteNumber("voters", status.Voters);
        json.WriteNumber("votersCaughtUp", status.VotersCaughtUp);
        json.WriteNumber("failuresTolerated", status.FailuresTolerated);
        json.WriteStartArray("peers");
        foreach (PeerStatus peer in status.Peers)
            WritePeer(json, peer);
        json.WriteEndArray();
        if (status.Notice is not null)
            json.WriteString("notice", status.Notice);
        json.WriteEndObject();
        json.WriteEndArray();
        if (status.Silos.Count > 0)
            WriteSilos(json, status.Silos);
    }

    private static void WriteSilos(Utf8JsonWriter json, IReadOnlyList<SiloStatus> silos)
    {
        json.WriteStartArray("silos");
        foreach (SiloStatus silo in silos)
        {
            json.WriteStartObject();
            json.WriteString("silo", silo.SiloId);
            json.WriteString("url", silo.Url);
            json.WriteString("link", silo.Link);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WritePeer(Utf8JsonWriter json, PeerStatus peer)
    {
        json.WriteStartObject();
        json.WriteNumber("peer", peer.PeerId);
        json.WriteString("state", peer.State);
        if (peer.Silo is not null)
            json.WriteString("silo", peer.Silo);
        json.WriteNumber("epoch", peer.Epoch);
        json.WriteNumber("term", peer.Term);
        json.WriteNumber("lastIndex", peer.LastIndex);
        json.WriteNumber("commitIndex", peer.CommitIndex);
        json.WriteNumber("appliedIndex", peer.AppliedIndex);
        json.WriteNumber("snapshotIndex", peer.SnapshotIndex);
        if (peer.Detail is not null)
            json.WriteString("detail", peer.Detail);
        json.WriteEndObject();
    }
}
