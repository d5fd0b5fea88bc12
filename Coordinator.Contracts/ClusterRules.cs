namespace Coordinator.Contracts;

/// <summary>What must hold of a request about a group's peers whatever the state; see <see cref="CommandRules"/>.</summary>
public static class ClusterRules
{
    /// <summary>Null when <paramref name="request"/> can be tried; otherwise why not.</summary>
    public static (ErrorCode Code, string Message)? Check(ClusterRequest request) => request.Group < 0
        ? Invalid("A group's number may not be negative.")
        : CheckRequest(request);

    private static (ErrorCode, string)? CheckRequest(ClusterRequest request) => request.RequestCase switch
    {
        ClusterRequest.RequestOneofCase.Describe => null,
        ClusterRequest.RequestOneofCase.TransferLeadership => request.TransferLeadership.ToPeerId < 0
            ? Invalid("to_peer_id may not be negative; 0 is whoever is furthest.")
            : null,
        ClusterRequest.RequestOneofCase.AddPeer => request.AddPeer.Nonce.Length != CommandRules.NonceBytes
            ? Invalid($"The nonce has {request.AddPeer.Nonce.Length} bytes; it must have {CommandRules.NonceBytes}.")
            : CheckPlace(request.AddPeer),
        ClusterRequest.RequestOneofCase.RemovePeer => request.RemovePeer.PeerId <= 0
            ? Invalid($"{request.RemovePeer.PeerId} is no peer id.")
            : null,
        _ => Invalid("The request asks for nothing that this version knows."),
    };

    private static (ErrorCode, string)? CheckPlace(GrowGroup add)
    {
        if (add.Replaces < 0)
            return Invalid($"{add.Replaces} is no peer id; 0 replaces nobody.");
        if (add.Replaces > 0 && add.Learner)
            return Invalid("A peer that never votes can't take another one's place.");
        return add.Silo.Length > 0 && ResourceName.LabelProblem(add.Silo) is { } problem ? Invalid($"The silo: {problem}") : null;
    }

    private static (ErrorCode, string) Invalid(string message) => (ErrorCode.InvalidRequest, message);
}
