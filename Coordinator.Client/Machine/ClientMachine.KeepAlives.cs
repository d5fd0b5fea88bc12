using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>Keep-alives, each with the moment of its sending: the deadline counts from there (rule 13).</summary>
internal sealed partial class ClientMachine
{
    // Sent on the present link and not answered.
    private readonly Dictionary<long, (Session Session, ClientInstant Sent)> _keepAlives = [];

    private void SendDueKeepAlives()
    {
        foreach (Session session in _sessions)
        {
            if (session.IsAlive && session.KeepAliveDueIn(_now) <= TimeSpan.Zero)
                SendKeepAlive(session);
        }
    }

    private void SendKeepAlive(Session session)
    {
        long id = ++_lastId;
        // Each has an id of its own: an answer must name the very sending from which the new deadline counts.
        _keepAlives.Add(id, (session, _now));
        session.KeepAliveSentAt = _now.Monotonic;
        Expect();
        ClientFrame frame = NewFrame(id);
        frame.KeepAlive = new SessionKeepAlive { SessionId = session.Id };
        Transmit(frame);
    }

    private void OnKeepAliveAnswer(long correlationId, KeepAliveAnswer answer)
    {
        if (!_keepAlives.Remove(correlationId, out (Session Session, ClientInstant Sent) asked))
            return;
        Unexpect();
        Session session = asked.Session;
        if (!session.IsAlive)
            return;
        if (answer.Error == ErrorCode.SessionNotFound)
        {
            Lose(session, "The cluster has ended it.");
            return;
        }
        if (answer.Error != ErrorCode.Ok)
        {
            OnRefusal(answer.Error, "", "");
            return;
        }
        OnGoodAnswer();
        if (asked.Sent.Monotonic <= session.Lifetime!.Start.Monotonic)
            return;
        if (answer.TtlUs > 0)
            session.Ttl = Earlier(session.Ttl, TimeSpan.FromMicroseconds(answer.TtlUs));
        session.Lifetime = new SessionLifetime(asked.Sent, _options.Validity(session.Ttl));
        _effects.Add(new ClientEffect.SessionExtended(session, session.Lifetime));
    }
}
