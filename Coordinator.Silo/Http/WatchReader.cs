using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>
/// Reads one watch a page at a time, and can stop waiting for a page without losing it. Invariant: after it is disposed
/// the watch has ended, whatever was being waited for.
/// </summary>
internal sealed class WatchReader : IAsyncDisposable
{
    private readonly CancellationTokenSource _ended;
    private readonly CancellationToken _stopping;
    private readonly IAsyncEnumerator<WatchPage> _pages;
    private Task<bool>? _next;

    /// <param name="abandoned">The client has left: <see cref="OperationCanceledException"/>.</param>
    /// <param name="stopping">The silo stops: the last page says so.</param>
    public WatchReader(
        CheckedGateway gateway, int? group, Watch watch, CancellationToken abandoned, CancellationToken stopping)
    {
        _stopping = stopping;
        _ended = CancellationTokenSource.CreateLinkedTokenSource(abandoned, stopping);
        _pages = gateway.WatchAsync(group, watch, _ended.Token).GetAsyncEnumerator(CancellationToken.None);
    }

    /// <returns>Null when none has come in time; the next call goes on waiting. One with an error is the last.</returns>
    public async Task<WatchPage?> NextAsync(TimeSpan patience, TimeProvider time)
    {
        _next ??= _pages.MoveNextAsync().AsTask();
        try
        {
            bool more = await _next.WaitAsync(patience, time, CancellationToken.None);
            _next = null;
            return more ? _pages.Current : LastPage(ErrorCode.Internal);
        }
        catch (TimeoutException)
        {
            return null;
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            return LastPage(ErrorCode.Stopping);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        try
        {
            // Only what waits for nothing can be disposed of.
            if (_next is not null)
                await _next;
        }
        catch (OperationCanceledException)
        {
            // As it was asked to.
        }
        await _pages.DisposeAsync();
        _ended.Dispose();
    }

    private static WatchPage LastPage(ErrorCode code) => new() { Error = code, Message = ErrorText.Of(code) };
}
