using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Silo.Http;

/// <summary>/v1/groups/{group}: who its peers are, another peer, one fewer, another leader.</summary>
internal sealed class GroupResource(CheckedGateway gateway, HttpInterfaceOptions options)
{
    private const string Peers = "/v1/groups/{group}/peers";

    public IReadOnlyList<HttpRoute> Routes =>
    [
        new("GET", Peers, WithGroup(DescribeAsync)),
        new("POST", Peers, WithGroup(AddAsync)),
        new("DELETE", $"{Peers}/{{peer}}", RemoveAsync),
        new("POST", "/v1/groups/{group}/transfer-leadership", WithGroup(TransferAsync)),
    ];

    private async Task DescribeAsync(HttpContext context, RequestTarget target, int group)
    {
        Fields fields = QueryString.Read(target.Query);
        ClusterRequest request = new() { Group = group, Describe = new DescribeGroup() };
        if (await ExecuteAsync(context, fields, null, request) is { } answer)
            await Answers.WriteAsync(context, json => WriteGroup(json, answer.Group));
    }

    private async Task AddAsync(HttpContext context, RequestTarget target, int group)
    {
        Fields fields = await JsonBody.ReadAsync(context, options.JsonBytesMax);
        GrowGroup grow = new()
        {
            Nonce = ReadNonce(fields),
            Learner = fields.Flag("learner") ?? false,
            Silo = fields.Text("silo") ?? "",
            Replaces = fields.Count("replaces"),
        };
        ClusterRequest request = new() { Group = group, AddPeer = grow };
        if (await ExecuteAsync(context, fields, target, request) is { } answer)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteNumber("peer", answer.PeerId);
                json.WriteString("role", RoleOf(answer));
            });
    }

    private async Task RemoveAsync(HttpContext context, RequestTarget target, string[] parameters)
    {
        Fields fields = await JsonBody.ReadAsync(context, options.JsonBytesMax);
        if (!IsNumber(parameters[0], out int group) || !IsId(parameters[1], out long peer))
        {
            await Problems.WriteAsync(
                context, ErrorCode.InvalidRequest, "A group is a whole number from 0 on, a peer id one from 1 on.");
            return;
        }
        ClusterRequest request = new() { Group = group, RemovePeer = new RemovePeer { PeerId = peer } };
        if (await ExecuteAsync(context, fields, target, request) is not null)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteNumber("peer", peer);
                json.WriteBoolean("removed", true);
            });
    }

    private async Task TransferAsync(HttpContext context, RequestTarget target, int group)
    {
        Fields fields = await JsonBody.ReadAsync(context, options.JsonBytesMax);
        TransferLeadership transfer = new() { ToPeerId = fields.Count("to") };
        ClusterRequest request = new() { Group = group, TransferLeadership = transfer };
        if (await ExecuteAsync(context, fields, target, request) is { } answer)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteNumber("leader", answer.Group.LeaderPeerId);
                json.WriteNumber("term", answer.Group.Term);
            });
    }

    /// <param name="target">Takes no parameters; null: <paramref name="fields"/> are its parameters.</param>
    /// <returns>Null when it was refused; the refusal has been written then.</returns>
    private async Task<ClusterAnswer?> ExecuteAsync(
        HttpContext context, Fields fields, RequestTarget? target, ClusterRequest request)
    {
        Refusal? surplus = target is null ? null : QueryString.Read(target.Query).Finish();
        if ((surplus ?? fields.Finish()) is { } refusal)
        {
            await Problems.WriteAsync(context, refusal);
            return null;
        }
        ClusterAnswer answer = await gateway.AdministerAsync(request, context.RequestAborted);
        SetPosition(context, request.Group);
        if (answer.Error == ErrorCode.Ok)
            return answer;
        await Problems.WriteAsync(context, answer.Error, answer.Message);
        return null;
    }

    private void SetPosition(HttpContext context, int group)
    {
        if (group < gateway.Groups)
            Answers.SetPosition(context, gateway.Gateways[group].GetStatus());
    }

    private static void WriteGroup(Utf8JsonWriter json, GroupDescription group)
    {
        json.WriteNumber("group", group.Group);
        if (group.LeaderPeerId == 0)
            json.WriteNull("leader");
        else
            json.WriteNumber("leader", group.LeaderPeerId);
        json.WriteNumber("term", group.Term);
        json.WriteNumber("commitIndex", group.CommitIndex);
        json.WriteNumber("revision", group.Revision);
        json.WriteNumber("sessions", group.Sessions);
        json.WriteNumber("featureLevel", group.FeatureLevel);
        json.WriteNumber("voters", group.Voters);
        json.WriteNumber("votersCaughtUp", group.VotersCaughtUp);
        json.WriteNumber("failuresTolerated", group.FailuresTolerated);
        json.WriteStartArray("peers");
        foreach (PeerDescription peer in group.Peers)
            WritePeer(json, peer);
        json.WriteEndArray();
    }

    private static void WritePeer(Utf8JsonWriter json, PeerDescription peer)
    {
        json.WriteStartObject();
        json.WriteNumber("peer", peer.PeerId);
        json.WriteString("role", peer.Role);
        json.WriteString("state", peer.State);
        json.WriteString("silo", peer.Silo);
        json.WriteNumber("appliedIndex", peer.AppliedIndex);
        json.WriteNumber("lastIndex", peer.LastIndex);
        if (peer.Detail.Length > 0)
            json.WriteString("detail", peer.Detail);
        json.WriteEndObject();
    }

    /// <summary>As it is now: a repeat may find it voting.</summary>
    private static string RoleOf(ClusterAnswer answer) =>
        answer.Group?.Peers.FirstOrDefault(peer => peer.PeerId == answer.PeerId)?.Role ?? "learner";

    private static ByteString ReadNonce(Fields fields)
    {
        if (fields.Text("nonce") is not { } text)
            return ByteString.CopyFrom(RandomNumberGenerator.GetBytes(CommandRules.NonceBytes));
        if (Guid.TryParse(text, out Guid nonce))
            return ByteString.CopyFrom(nonce.ToByteArray(bigEndian: true));
        fields.Refuse(ErrorCode.InvalidRequest, "\"nonce\" is not a UUID.");
        return ByteString.Empty;
    }

    private static RouteHandler WithGroup(Func<HttpContext, RequestTarget, int, Task> next) => (context, target, parameters) =>
        IsNumber(parameters[0], out int group)
            ? next(context, target, group)
            : Problems.WriteAsync(context, ErrorCode.InvalidRequest, "A group is a whole number from 0 on.");

    private static bool IsNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static bool IsId(string text, out long id) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id) && id > 0;
}
