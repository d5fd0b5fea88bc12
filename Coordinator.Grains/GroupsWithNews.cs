using System.Threading.Channels;

namespace Coordinator.Grains;

/// <summary>
/// Which groups something has happened to, for one who looks after all of them: told by anybody, without waiting, and taken
/// by one. Invariant: what happens after a group was taken makes it be taken again. Groups of which nothing is told cost nothing.
/// </summary>
internal sealed class GroupsWithNews(int groups)
{
    private readonly int[] _waits = new int[groups];
    private readonly Channel<int> _order = Channel.CreateUnbounded<int>();

    public void Tell(int group)
    {
        // A full fence, not a look first: what happened has to be seen by whoever takes the group from here on.
        if (Interlocked.Exchange(ref _waits[group], 1) == 0)
            _order.Writer.TryWrite(group);
    }

    /// <summary>False: there is none.</summary>
    public bool TryTake(out int group)
    {
        if (!_order.Reader.TryRead(out group))
            return false;
        // Before whoever took it looks at the group: what happens from here on is told again.
        Interlocked.Exchange(ref _waits[group], 0);
        return true;
    }

    /// <summary>Until there is one to take.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken) => await _order.Reader.WaitToReadAsync(cancellationToken);
}
