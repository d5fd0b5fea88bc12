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

    private bool IsReady => gateway.Gateways.All(group => group.IsReady);

    private Task StatusAsync(HttpContext context)
    {
        GroupStatus[] groups = GetStatus(context);
        return Answers.WriteAsync(context, json => Write(json, groups, IsReady));
    }

    /// <summary>The process answers: nothing more.</summary>
    private static Task LiveAsync(HttpContext context) =>
        Answers.WriteAsync(context, json => json.WriteString("status", "live"));

    private Task ReadyAsync(HttpContext context)
    {
        GroupStatus[] groups = GetStatus(context);
        return IsReady
            ? Answers.WriteAsync(context, json =>
            {
                json.WriteString("status", "ready");
                if (WeakestOf(groups).Durability is { } durability)
                    json.WriteNumber("faultsTolerated", durability.FaultsTolerated);
            })
            : Problems.WriteAsync(context, ErrorCode.NoQuorum, WhyNotReady());
    }

    private string WhyNotReady()
    {
        int missing = gateway.Gateways.Count(group => !group.IsReady);
        return gateway.Groups == 1
            ? "No leader with a quorum and a database that answers now; /v1/status says what each peer does."
            : $"{missing} of {gateway.Groups} groups have no leader with a quorum and a database that answers now; /v1/status says what "
                + "each peer does.";
    }

    /// <summary>A position is one group's: there is one to tell where there is one group.</summary>
    private GroupStatus[] GetStatus(HttpContext context)
    {
        GroupStatus[] groups = [.. gateway.Gateways.Select(group => group.GetStatus())];
        if (groups is [var only])
            Answers.SetPosition(context, only);
        return groups;
    }

    /// <summary>The cluster is worth no more than the group that survives least; one of which nothing is known here may be it.</summary>
    private static GroupStatus WeakestOf(GroupStatus[] groups) =>
        groups.MinBy(group => group.Durability?.FaultsTolerated ?? int.MinValue)!;

    private static void Write(Utf8JsonWriter json, GroupStatus[] groups, bool ready)
    {
        json.WriteBoolean("ready", ready);
        json.WriteStartArray("groups");
        foreach (GroupStatus group in groups)
            Write(json, group, isCompact: groups.Length > 1);
        json.WriteEndArray();
        DurabilityJson.Write(json, WeakestOf(groups));
        if (groups[0].Silos.Count > 0)
            WriteSilos(json, groups);
    }

    /// <param name="isCompact">One of many: of its peers what /v1/groups/{group}/peers has not, and what may be wrong.</param>
    private static void Write(Utf8JsonWriter json, GroupStatus status, bool isCompact)
    {
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
            WritePeer(json, peer, isCompact);
        json.WriteEndArray();
        if (status.Notice is not null)
            json.WriteString("notice", status.Notice);
        json.WriteEndObject();
    }

    private static void WriteSilos(Utf8JsonWriter json, GroupStatus[] groups)
    {
        ILookup<string?, GroupStatus> led = groups.ToLookup(
            group => group.Peers.FirstOrDefault(peer => peer.PeerId == group.LeaderId)?.Silo);
        json.WriteStartArray("silos");
        foreach (SiloStatus silo in groups[0].Silos)
        {
            json.WriteStartObject();
            json.WriteString("silo", silo.SiloId);
            json.WriteString("url", silo.Url);
            json.WriteString("link", silo.Link);
            if (groups.Length > 1)
                json.WriteNumber("leads", led[silo.SiloId].Count());
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WritePeer(Utf8JsonWriter json, PeerStatus peer, bool isCompact)
    {
        json.WriteStartObject();
        json.WriteNumber("peer", peer.PeerId);
        json.WriteString("state", peer.State);
        if (peer.Silo is not null)
            json.WriteString("silo", peer.Silo);
        if (!isCompact)
        {
            json.WriteNumber("epoch", peer.Epoch);
            json.WriteNumber("term", peer.Term);
            json.WriteNumber("lastIndex", peer.LastIndex);
            json.WriteNumber("commitIndex", peer.CommitIndex);
        }
        json.WriteNumber("appliedIndex", peer.AppliedIndex);
        if (!isCompact)
            json.WriteNumber("snapshotIndex", peer.SnapshotIndex);
        if (peer.Detail is not null)
            json.WriteString("detail", peer.Detail);
        json.WriteEndObject();
    }
}
