using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Linearizability;

namespace Coordinator.Simulation.Histories;

/// <summary>
/// A history by the requests that clients make. Invariant: a request is one operation however often it is sent: its first
/// sending invokes it, its first final answer ends it, and all else is passed over (rule 14). One that is never answered
/// stays pending for ever.
/// </summary>
internal sealed class RequestRecorder<TInput, TOutput>(EventQueue events)
    where TInput : class
    where TOutput : class
{
    private const int Ended = -1;

    private readonly OperationRecorder<TInput, TOutput> _recorder = new(new VirtualTime(events));
    private readonly Dictionary<object, int> _operations = new(ReferenceEqualityComparer.Instance);

    public IReadOnlyList<HistoryEvent<TInput, TOutput>> History => _recorder.History();

    /// <param name="request">Whatever stands for the request: one object, whose identity counts.</param>
    public void Sent(int client, object request, TInput input)
    {
        if (!_operations.ContainsKey(request))
            _operations.Add(request, _recorder.Invoke(client, input));
    }

    public void Answered(object request, TOutput output)
    {
        if (TryEnd(request, out int operation))
            _recorder.Return(operation, output);
    }

    public void HadNoEffect(object request)
    {
        if (TryEnd(request, out int operation))
            _recorder.HadNoEffect(operation);
    }

    private bool TryEnd(object request, out int operation)
    {
        bool isRunning = _operations.TryGetValue(request, out operation) && operation != Ended;
        if (isRunning)
            _operations[request] = Ended;
        return isRunning;
    }
}
