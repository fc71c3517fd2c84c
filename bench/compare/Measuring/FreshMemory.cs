using Entrepot.Bench.Running;

namespace Entrepot.Bench.Measuring;

/// <summary>
/// Memory to write files into. A virtual machine may have given what it does not use back to its host; who touches that first pays several
/// times the price of the write itself (0.2 s or 1.0 s per GiB where this was found), which says nothing about who it is.
/// </summary>
internal static class FreshMemory
{
    private const int StepBytes = 1 << 20;

    /// <summary>Fetches so many bytes from the host, by a file that is written and deleted. They stay for about two seconds if nobody uses them.</summary>
    public static void Fetch(WorkFolder work, long bytes)
    {
        var step = new byte[StepBytes];
        var path = Path.Combine(work.Root, "fresh-memory");
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0, Options = FileOptions.DeleteOnClose });
        for (long written = 0; written < bytes; written += step.Length) file.Write(step);
    }
}
