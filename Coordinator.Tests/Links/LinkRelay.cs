using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Coordinator.Tests.Links;

/// <summary>
/// The network between a silo that dials and another one's listener: it can go silent, in one direction or both, be cut,
/// change bytes, and keeps what the dialer said.
/// </summary>
internal sealed class LinkRelay : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentDictionary<Socket, Socket> _open = new();
    private readonly ConcurrentQueue<Task> _pumps = new();
    private readonly MemoryStream _said = new();
    private readonly Task _accepting;
    private readonly bool _keepsWhatIsSaid;
    private volatile TaskCompletionSource _dialerSilence = Ended();
    private volatile TaskCompletionSource _listenerSilence = Ended();

    public LinkRelay(bool keepsWhatIsSaid = true)
    {
        _keepsWhatIsSaid = keepsWhatIsSaid;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"ws://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}");

    /// <summary>Null: nobody listens there.</summary>
    public IPEndPoint? Target { get; set; }

    /// <summary>Given what the dialer sends next, of one connection, may change it.</summary>
    public Action<byte[], int>? Tamper { get; set; }

    /// <summary>All that dialers have said, in all connections.</summary>
    public byte[] Said
    {
        get
        {
            lock (_said)
                return _said.ToArray();
        }
    }

    /// <summary>Nothing passes any more, and nobody is told: as if a cable had been pulled.</summary>
    public void GoSilent(bool fromDialer = true, bool fromListener = true)
    {
        if (fromDialer)
            _dialerSilence = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (fromListener)
            _listenerSilence = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public void Speak()
    {
        _dialerSilence.TrySetResult();
        _listenerSilence.TrySetResult();
    }

    /// <summary>Closes the connections that are open now.</summary>
    public void Cut()
    {
        foreach ((Socket dialer, Socket listener) in _open)
        {
            dialer.Dispose();
            listener.Dispose();
        }
        _open.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
        Speak();
        Cut();
        await Task.WhenAll(_pumps);
    }

    private static TaskCompletionSource Ended()
    {
        TaskCompletionSource ended = new();
        ended.SetResult();
        return ended;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket dialer = await _listener.AcceptAsync();
                Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                dialer.NoDelay = listener.NoDelay = true;
                try
                {
                    if (Target is not { } target)
                        throw new SocketException((int)SocketError.ConnectionRefused);
                    await listener.ConnectAsync(target);
                    _open[dialer] = listener;
                    _pumps.Enqueue(PumpAsync(dialer, listener, isDialer: true));
                    _pumps.Enqueue(PumpAsync(listener, dialer, isDialer: false));
                }
                catch (SocketException)
                {
                    dialer.Dispose();
                    listener.Dispose();
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool isDialer)
    {
        byte[] buffer = new byte[64 * 1024];
        try
        {
            for (int count; (count = await from.ReceiveAsync(buffer)) > 0;)
            {
                if (isDialer)
                {
                    Keep(buffer.AsSpan(0, count));
                    Tamper?.Invoke(buffer, count);
                }
                await (isDialer ? _dialerSilence : _listenerSilence).Task;
                for (int sent = 0; sent < count;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // One side is gone.
        }
        from.Dispose();
        to.Dispose();
    }

    private void Keep(ReadOnlySpan<byte> said)
    {
        if (!_keepsWhatIsSaid)
            return;
        lock (_said)
            _said.Write(said);
    }
}
