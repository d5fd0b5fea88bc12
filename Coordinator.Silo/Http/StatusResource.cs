using System.Text.Json;
using Coordinator.Contracts;
using Coordinator.Grains;

namespace Coordinator.Silo.Http;

/// <summary>/v1/status, /health/live and /health/ready.</summary>
internal sealed class StatusResource(CheckedGateway gateway)
{
    public Task StatusAsync(HttpContext context) => OnGetAsync(context, () =>
    {
        GroupStatus status = gateway.Group.GetStatus();
        Answers.SetPosition(context, status);
        return Answers.WriteAsync(context, json => Write(json, status, gateway.Group.IsReady));
    });

    /// <summary>The process answers: nothing more.</summary>
    public static Task LiveAsync(HttpContext context) =>
        OnGetAsync(context, () => Answers.WriteAsync(context, json => json.WriteString("status", "live")));

    public Task ReadyAsync(HttpContext context) => OnGetAsync(context, () =>
    {
        Answers.SetPosition(context, gateway.Group.GetStatus());
        return gateway.Group.IsReady
            ? Answers.WriteAsync(context, json => json.WriteString("status", "ready"))
            : Problems.WriteAsync(context, ErrorCode.NoQuorum, "No leader with a quorum and a database that answers now; /v1/status says what each peer does.");
    });

    private static Task OnGetAsync(HttpContext context, Func<Task> answer) =>
        HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)
            ? answer()
            : Problems.MethodNotAllowedAsync(context, "GET, HEAD");

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
        json.WriteStartArray("peers");
        foreach (PeerStatus peer in status.Peers)
            WritePeer(json, peer);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WritePeer(Utf8JsonWriter json, PeerStatus peer)
    {
        json.WriteStartObject();
        json.WriteNumber("peer", peer.PeerId);
        json.WriteString("state", peer.State);
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
