using Coordinator.Contracts;

namespace Coordinator.Silo.Links;

/// <summary>A client's request that another silo has forwarded to this one, while it is worked on.</summary>
public sealed class ForwardedCall
{
    private readonly Action<ForwardedAnswer> _reply;

    internal ForwardedCall(
        string silo, ForwardedRequest request, Action<ForwardedAnswer> reply, CancellationToken abandoned)
    {
        Silo = silo;
        Request = request;
        Abandoned = abandoned;
        _reply = reply;
    }

    public string Silo { get; }

    public ForwardedRequest Request { get; }

    /// <summary>Nobody waits any longer: the caller has left, or the link is lost. What was asked for stays.</summary>
    public CancellationToken Abandoned { get; }

    /// <summary>Sends one answer; the last says so.</summary>
    public void Reply(ForwardedAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        _reply(answer);
    }

    public void Fail(ErrorCode code, string message) => Reply(Failure(code, message));

    internal static ForwardedAnswer Failure(ErrorCode code, string message) =>
        new() { Failure = new Failure { Code = code, Message = message }, Last = true };
}
