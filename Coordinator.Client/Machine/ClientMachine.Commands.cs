using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>Commands: request ids, sending in a session, sending again.</summary>
internal sealed partial class ClientMachine
{
    private void Enqueue(CommandOperation operation)
    {
        operation.Unsent = _unsent.AddLast(operation);
        _timers.Arm(operation);
    }

    private void SendUnsent()
    {
        while (_unsent.First is { } first && _current is { Phase: SessionPhase.Open, HasRoom: true } session)
        {
            CommandOperation operation = first.Value;
            _unsent.RemoveFirst();
            operation.Unsent = null;
            if (operation is OpenSessionOperation)
            {
                Complete(operation, new Completion.Opened(session));
                Close(operation);
                continue;
            }
            Assign(operation, session);
            if (operation is AcquireOperation acquire)
                SetWaitLimits(acquire);
            Open(operation);
        }
    }

    /// <summary>Gives the operation a request id of the session, and the bytes that go with it for good.</summary>
    private void Assign(CommandOperation operation, Session session)
    {
        if (operation.Session is null)
            session.OpenOperations++;
        operation.Session = session;
        operation.Slot = session.NextSlot(_now.Monotonic);
        Command command = operation.MakeCommand(_now.Monotonic);
        command.SessionId = session.Id;
        command.RequestId = operation.Slot.RequestId;
        command.AnsweredBelow = session.AnsweredBelow;
        operation.Frame = NewFrame(operation.Id);
        operation.Frame.Command = command;
        operation.Sends = 0;
        operation.FirstSent = null;
    }

    /// <summary>
    /// Asks again under a new request id: the log's answer to the old one is final, but not what is needed.
    /// </summary>
    private void Reissue(CommandOperation operation)
    {
        operation.Slot!.IsClosed = true;
        Assign(operation, operation.Session!);
        RetryLater(operation);
    }

    private void RetryLater(Operation operation)
    {
        operation.RetryAt = _now.Monotonic + _backoff.Pause(++operation.Failures);
        _timers.Arm(operation);
    }

    /// <summary>Nothing more is sent or expected for this operation.</summary>
    private void Close(Operation operation)
    {
        _open.Remove(operation.Id);
        _timers.Remove(operation);
        if (operation.IsOnWire)
        {
            operation.IsOnWire = false;
            if (operation.IsAnsweredSoon)
                Unexpect();
        }
        if (operation is CommandOperation command)
            CloseCommand(command);
    }

    private void CloseCommand(CommandOperation command)
    {
        if (command.Unsent is { } unsent)
        {
            _unsent.Remove(unsent);
            command.Unsent = null;
        }
        if (command.Session is not { } session)
            return;
        command.Slot!.IsClosed = true;
        command.Session = null;
        session.OpenOperations--;
    }

    /// <summary>Back to those not sent yet, for the next session.</summary>
    private void SendInNextSession(CommandOperation operation)
    {
        Close(operation);
        operation.Slot = null;
        operation.Frame = null;
        operation.Sends = 0;
        operation.RetryAt = TimeSpan.MaxValue;
        operation.Id = ++_lastId;
        Enqueue(operation);
    }
}
