namespace Coordinator.Tests.Fuzz;

/// <summary>Draws numbers, words and bytes: ordinary ones, so that requests get far, and those at the edges.</summary>
internal static class FuzzValues
{
    private static readonly string[] OrdinaryNames =
        [.. Enumerable.Range(0, 24).Select(i => $"fuzz/{i}"), "fuzz", "acquire", "x/acquire", "v1/connect", "ключ", "😀"];

    private static readonly string[] OddNames =
    [
        "", "/", "a/", "/a", "a//b", "..", ".", "a/../b", "../../etc/passwd", "...", "a\0b", "\0", "\u0001", "a\nb", "\u007f",
        "\u0085", "\ufffd", "\ufeff", "\u202e", "a?b#c", "a%2Fb", "%", "%zz", "a+b", " ", "a\\b", "{name}", "'\"<>;--",
        new string('n', 1024), new string('n', 1025), new string('/', 500), new string('é', 700), string.Concat(Enumerable.Repeat("a/", 600)),
    ];

    public static T Pick<T>(this Random random, IReadOnlyList<T> items) => items[random.Next(items.Count)];

    public static bool OneIn(this Random random, int count) => random.Next(count) == 0;

    public static string Name(Random random) => random.OneIn(4) ? random.Pick(OddNames) : random.Pick(OrdinaryNames);

    public static string Text(Random random) => random.Next(6) switch
    {
        0 => random.Pick(OddNames),
        1 => new string((char)random.Next(32, 0xd800), random.Next(40)),
        2 => new string('t', random.Next(2000)),
        _ => random.Pick(OrdinaryNames),
    };

    public static long Number(Random random) => random.Next(8) switch
    {
        0 => 0,
        1 => random.Pick(new[] { -1L, long.MinValue, long.MaxValue, int.MaxValue, int.MinValue, 1L << 32, 1L << 53 }),
        2 => (1L << random.Next(64)) + random.Next(-1, 2),
        3 => random.NextInt64(),
        4 => -random.NextInt64(),
        _ => random.Next(1, 100),
    };

    /// <summary>Mostly a few; now and then more than any limit allows.</summary>
    public static byte[] Bytes(Random random)
    {
        byte[] bytes = new byte[random.Next(300) switch
        {
            0 => random.Next(1_000_000, 1_700_000),
            < 5 => random.Next(30_000, 70_000),
            < 50 => 0,
            _ => random.Next(64),
        }];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>Changes a few bits or bytes, cuts off, repeats or inserts.</summary>
    public static byte[] Damage(byte[] bytes, Random random)
    {
        if (bytes.Length == 0)
            return [(byte)random.Next(256)];
        int at = random.Next(bytes.Length), to = random.Next(at, Math.Min(bytes.Length, at + 100));
        switch (random.Next(6))
        {
            case 0:
                return bytes[..at];
            case 1:
                return [.. bytes[..at], .. bytes[at..to], .. bytes[at..]];
            case 2:
                return [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]];
            case 3:
                return [.. bytes[..at], .. bytes[to..]];
            default:
                byte[] changed = [.. bytes];
                for (int i = random.Next(1, 4); i > 0; i--)
                    changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(8));
                return changed;
        }
    }
}
