using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Coordinator.Contracts;

namespace Coordinator.Silo.Links;

/// <summary>
/// The requests that this silo has forwarded over one link and that are not answered yet. Invariant: each ends once, with
/// a last answer, its caller's leaving, or a failure when the link is lost; nothing is ever sent twice (rule 15).
/// </summary>
internal sealed class OpenForwards(LinkOutbox outbox, LinkOptions options, string silo)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, Channel<ForwardedAnswer>> _open = [];
    private long _lastId;
    private bool _lost;

    /// <summary>Sends the request, and gives its answers as they come.</summary>
    public async IAsyncEnumerable<ForwardedAnswer> AskAsync(
        ForwardedRequest request, [EnumeratorCancellation] CancellationToken abandoned)
    {
        Channel<ForwardedAnswer> answers = Channel.CreateBounded<ForwardedAnswer>(options.UnreadAnswersMax + 1);
        if (Open(answers, out long id) is { } refused)
        {
            yield return refused;
            yield break;
        }
        try
        {
            if (!outbox.TryForward(new LinkFrame { CorrelationId = id, Request = request }))
            {
                Close(id);
                yield return NotSent();
                yield break;
            }
            await foreach (ForwardedAnswer answer in answers.Reader.ReadAllAsync(abandoned))
                yield return answer;
        }
        finally
        {
            if (Close(id))
                outbox.Send(new LinkFrame { CorrelationId = id, Abandon = new Abandon() });
        }
    }

    /// <summary>Takes an answer that came; one that nobody waits for any longer is dropped.</summary>
    public void Answered(long id, ForwardedAnswer answer)
    {
        Channel<ForwardedAnswer>? answers;
        lock (_lock)
        {
            if (!_open.TryGetValue(id, out answers))
                return;
        }
        bool overflows = answers.Reader.Count >= options.UnreadAnswersMax;
        answers.Writer.TryWrite(overflows
            ? ForwardedCall.Failure(ErrorCode.Overloaded, "The caller does not read the answers.")
            : answer);
        if (!overflows && !answer.Last)
            return;
        if (Close(id) && overflows)
            outbox.Send(new LinkFrame { CorrelationId = id, Abandon = new Abandon() });
        answers.Writer.TryComplete();
    }

    public void Lose()
    {
        Channel<ForwardedAnswer>[] open;
        lock (_lock)
        {
            _lost = true;
            open = [.. _open.Values];
            _open.Clear();
        }
        foreach (Channel<ForwardedAnswer> answers in open)
        {
            answers.Writer.TryWrite(ForwardedCall.Failure(
                ErrorCode.OutcomeUnknown, $"The link with silo {silo} was lost before the answer came."));
            answers.Writer.TryComplete();
        }
    }

    private ForwardedAnswer? Open(Channel<ForwardedAnswer> answers, out long id)
    {
        lock (_lock)
        {
            id = ++_lastId;
            if (_lost)
                return SiloLink.NotReached(silo);
            if (_open.Count >= options.OpenRequestsMax)
                return ForwardedCall.Failure(ErrorCode.Overloaded, $"Too many requests to silo {silo} are open.");
            _open.Add(id, answers);
            return null;
        }
    }

    private ForwardedAnswer NotSent() =>
        ForwardedCall.Failure(ErrorCode.Overloaded, $"The request does not fit what waits for silo {silo}.");

    private bool Close(long id)
    {
        lock (_lock)
            return _open.Remove(id);
    }
}
