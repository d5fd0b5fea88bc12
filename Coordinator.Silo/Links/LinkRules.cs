using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Silo.Links;

/// <summary>Whether two silos belong together: what each side checks of the other before any proof.</summary>
internal static class LinkRules
{
    private const int ClusterIdBytes = 16;

    /// <summary>The silo whose id comes first opens the link; so there is never more than one on its way.</summary>
    public static bool Opens(string silo, string other) => string.CompareOrdinal(silo, other) < 0;

    public static (LinkRefusal Refusal, string Message) Check(LinkHello hello, LinkContext context)
    {
        LinkOptions own = context.Options;
        if (hello.ProtocolVersion != LinkLimits.ProtocolVersion)
            return WrongVersion(own.SiloId, hello.ProtocolVersion);
        if (!IsWellFormed(hello.Process, hello.Challenge, hello.ClusterId))
            return (LinkRefusal.BadHandshake, "The hello lacks a process, a challenge or a cluster id of the right size.");
        if (ClusterProblem(hello.ClusterName, hello.ClusterId, context) is { } problem)
            return (LinkRefusal.WrongCluster, problem);
        if (hello.ToSilo != own.SiloId)
            return (LinkRefusal.WrongSilo, $"This is silo {own.SiloId}, and another one was meant.");
        if (own.Peers.All(peer => peer.SiloId != hello.FromSilo))
            return (LinkRefusal.UnknownSilo, $"The caller is not among the silos that {own.SiloId} is configured with.");
        LinkPurpose expected = Opens(hello.FromSilo, own.SiloId) ? LinkPurpose.OpenLink : LinkPurpose.Knock;
        return hello.Purpose == expected
            ? (LinkRefusal.Accepted, "")
            : (LinkRefusal.BadHandshake, $"From {hello.FromSilo} to {own.SiloId} the purpose is {expected}.");
    }

    public static (LinkRefusal Refusal, string Message) Check(LinkChallenge challenge, string expectedSilo, LinkContext context)
    {
        if (challenge.ProtocolVersion != LinkLimits.ProtocolVersion)
            return WrongVersion(context.Options.SiloId, challenge.ProtocolVersion);
        if (!IsWellFormed(challenge.Process, challenge.Challenge, challenge.ClusterId))
            return (LinkRefusal.BadHandshake, "The challenge lacks a process, a challenge or a cluster id of the right size.");
        if (ClusterProblem(challenge.ClusterName, challenge.ClusterId, context) is { } problem)
            return (LinkRefusal.WrongCluster, problem);
        return challenge.Silo == expectedSilo
            ? (LinkRefusal.Accepted, "")
            : (LinkRefusal.WrongSilo, $"Silo {expectedSilo} was expected at this address, and another one answers.");
    }

    private static (LinkRefusal, string) WrongVersion(string silo, int version) =>
        (LinkRefusal.WrongVersion,
            $"Silo {silo} speaks version {LinkLimits.ProtocolVersion} of the links' protocol, and the other one {version}.");

    private static bool IsWellFormed(ByteString process, ByteString challenge, ByteString clusterId) =>
        process.Length == LinkLimits.ProcessBytes && challenge.Length == LinkLimits.ChallengeBytes
        && clusterId.Length is 0 or ClusterIdBytes;

    // Before its bootstrap a silo has no cluster id; it needs its links to be bootstrapped (rule 1).
    private static string? ClusterProblem(string name, ByteString id, LinkContext context)
    {
        if (name != context.Options.ClusterName)
            return $"Silo {context.Options.SiloId} belongs to the cluster {context.Options.ClusterName}, the other one does not.";
        ByteString own = context.ClusterId;
        return id.IsEmpty || own.IsEmpty || id == own
            ? null
            : $"Both clusters are called {name}, and yet they are two: silo {context.Options.SiloId} has cluster id "
                + $"{Convert.ToHexString(own.Span)}, the other one {Convert.ToHexString(id.Span)}.";
    }
}
