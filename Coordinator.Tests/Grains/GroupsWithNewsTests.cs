using Coordinator.Grains;

namespace Coordinator.Tests.Grains;

public sealed class GroupsWithNewsTests
{
    private readonly GroupsWithNews _news = new(groups: 3);

    [Fact]
    public void A_group_is_taken_once_however_often_it_was_told_and_again_when_it_is_told_after_that()
    {
        _news.Tell(2);
        _news.Tell(0);
        _news.Tell(2);
        Assert.Equal([2, 0], Take());

        _news.Tell(2);
        Assert.Equal([2], Take());
        Assert.Empty(Take());
    }

    [Fact]
    public async Task Who_waits_goes_on_with_the_next_group_that_is_told()
    {
        Task waiting = _news.WaitAsync(CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        _news.Tell(1);
        await waiting.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal([1], Take());
    }

    /// <summary>Whatever was counted up before it was told is seen by whoever takes it, or by a later take.</summary>
    [Fact]
    public async Task Nothing_that_is_told_while_it_is_taken_is_missed()
    {
        const int Each = 100_000;
        int[] happened = new int[3], seen = new int[3];
        Task[] tellers = [.. Enumerable.Range(0, 3).Select(group => Task.Run(() =>
        {
            for (int i = 1; i <= Each; i++)
            {
                // As a loop writes its status: without a fence of its own.
                Volatile.Write(ref happened[group], i);
                _news.Tell(group);
            }
        }))];
        using var stopping = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (seen.Any(count => count < Each))
        {
            await _news.WaitAsync(stopping.Token);
            while (_news.TryTake(out int group))
                seen[group] = Volatile.Read(ref happened[group]);
        }
        await Task.WhenAll(tellers);
    }

    private List<int> Take()
    {
        List<int> taken = [];
        while (_news.TryTake(out int group))
            taken.Add(group);
        return taken;
    }
}
