using System.Text;

namespace Entrepot.IntegrationTests.Fuzz;

/// <summary>Bytes to throw at a port: noise, a TLS or HTTP/2 greeting, or a good request that was cut, doubled, or had bytes changed.</summary>
internal static class RandomBytes
{
    public static byte[] Next(Random random, KnownContent known) => random.Next(8) switch
    {
        0 => Noise(random, random.Next(1, 300)),
        1 => Noise(random, random.Next(1, 70_000)),
        2 => [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Noise(random, random.Next(200))],
        3 => [0x16, 0x03, 0x01, .. Noise(random, random.Next(600))],
        4 => Good(random, known)[..^random.Next(1, 20)],
        5 => [.. Good(random, known), .. Good(random, known), .. Noise(random, random.Next(50))],
        _ => Changed(random, Good(random, known)),
    };

    private static byte[] Good(Random random, KnownContent known)
    {
        string Pick(IReadOnlyList<string> of) => of[random.Next(of.Count)];
        var kind = Pick(["manifests", "blobs", "tags", "referrers"]);
        return Encoding.Latin1.GetBytes(
            $"{Pick(["GET", "HEAD", "POST"])} /v2/{Pick(known.Names)}/{kind}/{(kind == "tags" ? "list" : Pick(kind == "blobs" ? known.Blobs : known.Manifests))} {Pick(["HTTP/1.1", "HTTP/1.0"])}\r\nHost: x\r\n"
            + $"Range: bytes={random.Next(100)}-{random.Next(2000)}\r\nAccept: */*\r\nConnection: {Pick(["close", "keep-alive"])}\r\n\r\n");
    }

    private static byte[] Changed(Random random, byte[] bytes)
    {
        for (var times = random.Next(1, 12); times > 0; times--)
        {
            var at = random.Next(bytes.Length);
            bytes = random.Next(4) switch
            {
                0 => [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + random.Next(1, 8))..]],
                1 => [.. bytes[..at], .. Noise(random, random.Next(1, 30)), .. bytes[at..]],
                2 => [.. bytes[..at], .. bytes[random.Next(bytes.Length)..], .. bytes[at..]],
                _ => [.. bytes[..at], (byte)random.Next(256), .. bytes[(at + 1)..]],
            };
            if (bytes.Length is 0 or > 100_000) return Noise(random, 100);
        }
        return bytes;
    }

    private static byte[] Noise(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
