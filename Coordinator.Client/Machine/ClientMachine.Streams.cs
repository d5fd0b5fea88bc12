using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>
/// Streams: each sending has a correlation id of its own and begins where the last page left off, so that pages of an
/// earlier sending count for nothing. A consumer that falls behind costs neither memory here nor anything at the silo:
/// the watch is abandoned, and taken up again when it has caught up.
/// </summary>
internal sealed partial class ClientMachine
{
    private readonly List<StreamOperation> _paused = [];

    /// <summary>The consumer is done with items that were delivered to it.</summary>
    public void Taken(StreamOperation stream, int items, long bytes, ClientInstant now)
    {
        Advance(now);
        stream.WaitingItems -= items;
        stream.WaitingBytes -= bytes;
        // Well below the limit: each time that a watch is taken up costs the silo a look into its history.
        if (stream.IsPaused && stream.WaitingItems <= _options.StreamItemsMax / 4
            && stream.WaitingBytes <= _options.StreamBytesMax / 4)
        {
            Unpause(stream);
            Open(stream);
        }
        Work();
    }

    private void OnWatchPage(long correlationId, WatchPage page)
    {
        if (!_open.TryGetValue(correlationId, out Operation? operation)
            || operation is not StreamOperation { IsOnWire: true } stream)
            return;
        if (page.Error != ErrorCode.Ok)
        {
            OnStreamEnded(stream, page);
            return;
        }
        OnGoodAnswer();
        stream.Failures = 0;
        Saw(page.Position);
        foreach (StreamItem item in stream.Take(page))
        {
            if (stream is SessionStream { Session: { } session } && item is StreamItem.Session told)
            {
                OnNotices(session, page.Position, told.Notices);
                continue;
            }
            stream.WaitingItems++;
            stream.WaitingBytes += item.Bytes;
            _effects.Add(new ClientEffect.Arrived(stream.Caller!, item));
        }
        if (stream.WaitingItems > _options.StreamItemsMax || stream.WaitingBytes > _options.StreamBytesMax)
            Pause(stream);
    }

    private void OnStreamEnded(StreamOperation stream, WatchPage page)
    {
        OffWire(stream);
        if (ErrorRules.IsTransient(page.Error))
        {
            OnTransientRefusal(stream, page.Error, page.Message, "");
            return;
        }
        OnGoodAnswer();
        // Its keep-alives tell of the session's end; without a place for the watch only its deadlines tell of the rest.
        if (stream is SessionStream { Session: { } session })
            Log(new ClientEvent.SessionNotObserved(session.Id, page.Error, page.Message));
        Complete(stream, new Completion.StreamEnded(page.Error, page.Message, page.CompactedRevision));
        Close(stream);
    }

    private void Pause(StreamOperation stream)
    {
        Withdraw(stream);
        stream.IsPaused = true;
        _paused.Add(stream);
    }

    private void Unpause(StreamOperation stream)
    {
        stream.IsPaused = false;
        _paused.Remove(stream);
    }

    /// <summary>Before each sending. The caller puts it back among the timers, whose order depends on the id.</summary>
    private void Renew(StreamOperation stream)
    {
        _timers.Remove(stream);
        _open.Remove(stream.Id);
        stream.Id = ++_lastId;
        _open.Add(stream.Id, stream);
        Watch watch = stream.Resume();
        watch.SeenIndex = _seenIndex;
        stream.Frame = NewFrame(stream.Id);
        stream.Frame.Watch = watch;
    }
}
