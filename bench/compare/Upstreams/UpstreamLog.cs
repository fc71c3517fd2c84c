using System.Globalization;

namespace Entrepot.Bench.Upstreams;

/// <summary>What the upstream sent, by its access log: a line is written when a request has ended, however it ended.</summary>
/// <param name="file">The log.</param>
internal sealed class UpstreamLog(string file)
{
    /// <summary>The present end of the log, to count from.</summary>
    public long Mark() => File.Exists(file) ? new FileInfo(file).Length : 0;

    /// <summary>Counts what came behind a mark.</summary>
    public Traffic Since(long mark)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Position = mark;
        using var reader = new StreamReader(stream);
        var traffic = new Traffic(0, 0, 0);
        while (reader.ReadLine() is { } line)
        {
            var field = line.Split('\t');
            var isBlob = field[0] == "GET" && field[1].Contains("/blobs/", StringComparison.Ordinal);
            traffic = new Traffic(
                traffic.Requests + 1,
                traffic.BlobRequests + (isBlob ? 1 : 0),
                traffic.BlobBytes + (isBlob ? long.Parse(field[3], CultureInfo.InvariantCulture) : 0));
        }

        return traffic;
    }
}

/// <summary>What was asked of the upstream.</summary>
/// <param name="Requests">All requests.</param>
/// <param name="BlobRequests">GETs of blobs; a blob that is downloaded in pieces is asked for once a piece.</param>
/// <param name="BlobBytes">Bytes of blobs that were sent.</param>
internal sealed record Traffic(int Requests, int BlobRequests, long BlobBytes);
