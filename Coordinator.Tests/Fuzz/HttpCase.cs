using System.Globalization;
using System.Text;
using Coordinator.Silo.Http;

namespace Coordinator.Tests.Fuzz;

/// <param name="Framed">It is one whole request: exactly one answer comes, and the connection may go on.</param>
/// <param name="Stalls">Its body never comes: the silo has to give up on it.</param>
internal sealed record HttpCase(byte[] Bytes, bool Framed, bool Stalls)
{
    public bool IsHead => Bytes.AsSpan().StartsWith("HEAD "u8);

    public string Text => Encoding.Latin1.GetString(Bytes);

    /// <summary>A silo may hold such a request for long; its client leaves.</summary>
    public bool MayWait => Text.Contains("wait", StringComparison.OrdinalIgnoreCase)
        || Text.Contains("watch", StringComparison.OrdinalIgnoreCase)
        || Text.Contains("observe", StringComparison.OrdinalIgnoreCase);
}

/// <summary>Draws requests from the list of routes, and then breaks the rules of HTTP, JSON and of the silo.</summary>
internal sealed class HttpCaseSource(Random random, FuzzTarget target, IReadOnlyList<HttpRoute> routes)
{
    private readonly JsonSource _json = new(random, target.Sessions);

    public HttpCase Draw()
    {
        HttpRoute route = random.Pick(routes);
        // Each other leader costs everybody a moment: now and then is enough.
        if (route.Template.StartsWith("/v1/groups", StringComparison.Ordinal) && !random.OneIn(5))
            route = random.Pick(routes);
        string method = Method(route);
        StringBuilder head = new($"{method} {Target(route)} HTTP/1.{(random.OneIn(100) ? 0 : 1)}\r\n");
        bool framed = AddHost(head) & AddOddHeaders(head);
        byte[] body = method is "GET" or "HEAD" && !random.OneIn(20) ? [] : Body(route);
        bool stalls = random.OneIn(4000);
        // Slowness is an average: what came quickly at first buys time.
        if (stalls)
            body = body[..Math.Min(body.Length, 100)];
        framed &= AddBody(head, ref body, stalls);
        byte[] bytes = [.. Encoding.Latin1.GetBytes(head.ToString()), .. body];
        if (random.OneIn(12))
            return new HttpCase(FuzzValues.Damage(bytes, random), Framed: false, Stalls: false);
        return new HttpCase(bytes, framed && !stalls, stalls);
    }

    private string Method(HttpRoute route) => random.Next(20) switch
    {
        0 => random.Pick(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "get", "CONNECT"]),
        1 when route.Method == "GET" => "HEAD",
        _ => route.Method,
    };

    private string Target(HttpRoute route)
    {
        string path = string.Join('/', route.Template.Split('/').Select(part => part.StartsWith('{') ? Parameter(part) : part));
        path = random.Next(60) switch
        {
            0 => $"http://127.0.0.1:{target.Port}{path}",
            1 => random.Pick(["*", "/", "", "//", "/v1", "/v1/", "/v1/connect", "?", "http://evil.example/v1/status", "/health/../v1/status"]),
            2 => path + "/" + Encode(FuzzValues.Name(random)),
            3 => path + new string('x', random.Next(20_000)),
            4 => "/" + path,
            _ => path,
        };
        return path + _json.Query(route.Template);
    }

    private string Parameter(string parameter) => parameter switch
    {
        HttpRoute.NameParameter => Encode(FuzzValues.Name(random)),
        _ when random.OneIn(4) => Encode(FuzzValues.Text(random)),
        "{id}" => $"{random.Pick(target.Sessions)}",
        "{group}" => "0",
        _ => $"{random.Next(1, 40)}",
    };

    /// <summary>As a client would, or everything, or nothing, or what is not UTF-8.</summary>
    private string Encode(string name)
    {
        int how = random.Next(12);
        if (how == 0)
            return random.Pick(["%FF", "%C0%AF", "%ED%A0%80", "%E2%82", "%00", "%", "%4", "%zz", "a%2F..%2Fb", "%2e%2e", "%252F"]);
        StringBuilder encoded = new();
        foreach (byte octet in Encoding.UTF8.GetBytes(name))
            if (how == 1 || octet is <= (byte)' ' or >= 0x7f or (byte)'%' or (byte)'?' or (byte)'#')
                encoded.Append(how == 2 ? $"%{octet:x2}" : $"%{octet:X2}");
            else
                encoded.Append((char)octet);
        return encoded.ToString();
    }

    private bool AddHost(StringBuilder head)
    {
        string own = $"Host: 127.0.0.1:{target.Port}\r\n";
        int odd = random.Next(80);
        head.Append(odd switch
        {
            0 => "",
            1 => own + own,
            2 => "Host: evil.example\r\n",
            3 => "Host:\r\n",
            4 => $"Host: {new string('h', 300)}\r\n",
            5 => "Host: localhost:99999999\r\n",
            6 => "Host: [::1]\r\n",
            _ => own,
        });
        return true;
    }

    private bool AddOddHeaders(StringBuilder head)
    {
        if (!random.OneIn(4))
            return true;
        int kind = random.Next(18);
        head.Append(kind switch
        {
            0 => "Origin: https://evil.example\r\n",
            1 => $"X-Raft-Index: {FuzzValues.Number(random)}\r\n",
            2 => $"X-Raft-Index: {FuzzValues.Number(random)}\r\nX-Raft-Index: x\r\n",
            3 => $"X-Raft-Index: {(random.OneIn(2) ? "" : "1e3")}\r\n",
            4 => "Content-Encoding: gzip\r\n",
            5 => "Expect: 100-continue\r\n",
            6 => $"X-Long: {new string('y', random.Next(40_000))}\r\n",
            7 => string.Concat(Enumerable.Range(0, random.Next(150)).Select(i => $"X-{i}: {i}\r\n")),
            8 => "No colon here\r\n",
            9 => " folded: header\r\n",
            10 => "X-Nul: a\0b\r\n",
            11 => "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 12\r\nSec-WebSocket-Key: x\r\n",
            12 => "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n",
            13 => "Connection: close\r\n",
            15 => $"traceparent: 00-{new string('a', random.Next(30, 34))}-00f067aa0ba902b7-01\r\n",
            16 => $"traceparent: {new string('-', random.Next(100))}\r\ntraceparent: x\r\n",
            14 => "Range: bytes=0-\r\nIf-None-Match: *\r\nAccept: text/html\r\nAccept-Encoding: br\r\n",
            _ => "Content-Type: \r\n",
        });
        return kind is not (5 or 8 or 9 or 10);
    }

    private byte[] Body(HttpRoute route)
    {
        bool raw = route.Method == "PUT" ? !random.OneIn(6) : random.OneIn(12);
        byte[] body = raw ? FuzzValues.Bytes(random) : Encoding.UTF8.GetBytes(_json.Body(route.Template));
        return random.OneIn(10) ? FuzzValues.Damage(body, random) : body;
    }

    private bool AddBody(StringBuilder head, ref byte[] body, bool stalls)
    {
        string type = random.Next(12) switch
        {
            0 => random.Pick(["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "text/plain; x=é",
                "x", "application/json;", new string('t', 2000) + "/x", "application/json, text/plain", "\u0001/\u0002"]),
            < 3 => "",
            _ => "application/json",
        };
        if (type != "")
            head.Append(CultureInfo.InvariantCulture, $"Content-Type: {type}\r\n");
        int lie = random.Next(30);
        bool chunked = lie < 4;
        if (chunked)
            body = Chunks(body, lie);
        head.Append(lie switch
        {
            < 3 => "Transfer-Encoding: chunked\r\n\r\n",
            3 => $"Transfer-Encoding: chunked\r\nContent-Length: {body.Length}\r\n\r\n",
            4 => $"Content-Length: {body.Length + random.Next(1, 100)}\r\n\r\n",
            5 => $"Content-Length: {body.Length}\r\nContent-Length: {random.Next(9)}\r\n\r\n",
            6 => $"Content-Length: {random.Pick(["-1", "x", "99999999999", "1e1", "+3", "0x3", "99999999999999999999"])}\r\n\r\n",
            7 => "Transfer-Encoding: gzip, identity\r\n\r\n",
            _ when stalls => $"Content-Length: {body.Length + 10}\r\n\r\n",
            _ => $"Content-Length: {body.Length}\r\n\r\n",
        });
        return lie > 7 || lie == 0;
    }

    private byte[] Chunks(byte[] body, int lie)
    {
        MemoryStream chunks = new();
        for (int from = 0; from < body.Length;)
        {
            int count = Math.Min(body.Length - from, random.Next(1, 5000));
            int stated = lie == 1 && random.OneIn(3) ? count + random.Next(-1, 2) : count;
            chunks.Write(Encoding.ASCII.GetBytes(lie == 2 && random.OneIn(3) ? $"{random.Pick(["-1", "zz", "fffffffff", ""])}\r\n" : $"{stated:x};e=1\r\n"));
            chunks.Write(body, from, count);
            chunks.Write("\r\n"u8);
            from += count;
        }
        chunks.Write("0\r\n\r\n"u8);
        return chunks.ToArray();
    }
}
