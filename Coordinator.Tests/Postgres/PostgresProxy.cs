using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Coordinator.Tests.Postgres;

/// <summary>
/// Stands between a client and the server's socket, to hold back what either has sent, and to cut the client off
/// while the server's side stays open and gets what was held.
/// </summary>
public sealed class PostgresProxy : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentQueue<Link> _links = new();
    private readonly string _serverSocket;
    private readonly Task _accepting;

    public PostgresProxy(string serverSocket)
    {
        _serverSocket = serverSocket;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Bytes that came from the server, forwarded or not.</summary>
    public long AnsweredBytes => _links.Sum(link => link.AnsweredBytes);

    /// <summary>From now on, on the connections that are open now. New ones are not touched.</summary>
    public void HoldRequests() => ForEach(link => link.HoldRequests());

    public void HoldAnswers() => ForEach(link => link.HoldAnswers());

    public void Release() => ForEach(link => link.Release());

    /// <summary>Closes the client's side of the connections that are open now.</summary>
    public void CutClients() => ForEach(link => link.CutClient());

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
        ForEach(link => link.Dispose());
    }

    private void ForEach(Action<Link> action)
    {
        foreach (Link link in _links)
        {
            action(link);
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket client = await _listener.AcceptAsync();
                var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await server.ConnectAsync(new UnixDomainSocketEndPoint(_serverSocket));
                    _links.Enqueue(new Link(client, server));
                }
                catch (SocketException)
                {
                    client.Dispose();
                    server.Dispose();
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed: the listener is closed.
        }
    }

    private sealed class Link : IDisposable
    {
        private readonly Socket _client;
        private readonly Socket _server;
        private volatile TaskCompletionSource _requests = Open();
        private volatile TaskCompletionSource _answers = Open();
        private volatile bool _cut;
        private long _answeredBytes;

        public Link(Socket client, Socket server)
        {
            _client = client;
            _server = server;
            _ = PumpAsync(client, server, () => _requests.Task, _ => { }, () =>
            {
                if (!_cut)
                {
                    server.Dispose();
                }
            });
            _ = PumpAsync(
                server, client, () => _answers.Task, bytes => Interlocked.Add(ref _answeredBytes, bytes), client.Dispose);
        }

        public long AnsweredBytes => Interlocked.Read(ref _answeredBytes);

        // Whatever the client does once its requests are held, the server is to get them.
        public void HoldRequests()
        {
            _cut = true;
            _requests = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        public void HoldAnswers() =>
            _answers = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Release()
        {
            _requests.TrySetResult();
            _answers.TrySetResult();
        }

        public void CutClient()
        {
            _cut = true;
            _client.Dispose();
        }

        public void Dispose()
        {
            Release();
            _client.Dispose();
            _server.Dispose();
        }

        private static TaskCompletionSource Open()
        {
            var open = new TaskCompletionSource();
            open.SetResult();
            return open;
        }

        private static async Task PumpAsync(
            Socket from, Socket to, Func<Task> gate, Action<int> received, Action ended)
        {
            byte[] buffer = new byte[64 * 1024];
            try
            {
                for (int count; (count = await from.ReceiveAsync(buffer)) > 0;)
                {
                    received(count);
                    await gate();
                    for (int sent = 0; sent < count;)
                    {
                        sent += await to.SendAsync(buffer.AsMemory(sent, count - sent));
                    }
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // One side is gone: that is what proxies are for.
            }

            ended();
        }
    }
}
