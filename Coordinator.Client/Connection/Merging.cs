using System.Runtime.CompilerServices;

namespace Coordinator.Client.Connection;

/// <summary>One listing of several that are each in ordinal order, read as far as it is enumerated.</summary>
internal static class Merging
{
    public static async IAsyncEnumerable<T> InOrderAsync<T>(
        IReadOnlyList<IAsyncEnumerable<T>> listings, Func<T, string> keyOf,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        List<IAsyncEnumerator<T>> open = [];
        try
        {
            foreach (IAsyncEnumerable<T> listing in listings)
            {
                open.Add(listing.GetAsyncEnumerator(cancellationToken));
                await AdvanceAsync(open, open[^1]).ConfigureAwait(false);
            }
            while (open.MinBy(one => keyOf(one.Current), StringComparer.Ordinal) is { } least)
            {
                yield return least.Current;
                await AdvanceAsync(open, least).ConfigureAwait(false);
            }
        }
        finally
        {
            foreach (IAsyncEnumerator<T> one in open)
                await one.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task AdvanceAsync<T>(List<IAsyncEnumerator<T>> open, IAsyncEnumerator<T> one)
    {
        if (await one.MoveNextAsync().ConfigureAwait(false))
            return;
        open.Remove(one);
        await one.DisposeAsync().ConfigureAwait(false);
    }
}
