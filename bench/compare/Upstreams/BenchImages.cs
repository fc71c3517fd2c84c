using System.Globalization;
using System.Text.Json;
using Entrepot.Bench.Running;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Running;

namespace Entrepot.Bench.Upstreams;

/// <summary>What is pulled: the same bytes on every machine, made once and kept.</summary>
/// <param name="Version">Of this recipe: another one makes everything anew.</param>
/// <param name="Big">One layer of 1 GiB that cannot be compressed.</param>
/// <param name="Warm">Four layers of 128 MiB: pulled before what is measured, so that a program that is compiled while it runs has been.</param>
/// <param name="Forty">40 layers, 10.7 MB together.</param>
/// <param name="Tiny">A config of exactly 4096 bytes.</param>
/// <param name="Bots">200 small images, for those who only look whether a tag has moved.</param>
internal sealed record BenchImages(int Version, BenchImage Big, BenchImage Warm, BenchImage Forty, BenchImage Tiny, IReadOnlyList<BenchImage> Bots)
{
    private const int CurrentVersion = 2;

    /// <summary>All of them.</summary>
    public IEnumerable<BenchImage> All => [Big, Warm, Forty, Tiny, .. Bots];

    /// <summary>Reads them from the folder, or makes them (about half a minute).</summary>
    public static async Task<BenchImages> OpenAsync(WorkFolder work, CancellationToken cancellationToken)
    {
        var list = Path.Combine(work.Images, "images.json");
        if (File.Exists(list) && JsonSerializer.Deserialize<BenchImages>(await File.ReadAllTextAsync(list, cancellationToken)) is { Version: CurrentVersion } kept) return kept;
        Console.WriteLine("making the images");
        if (Directory.Exists(work.Images)) Directory.Delete(work.Images, recursive: true);
        var files = new RegistryFiles(work.Images);
        using var folder = new TempFolder("bench");
        var images = new BenchImages(
            CurrentVersion,
            await files.AddAsync(await ImageMaker.BigAsync(1024, seed: 1, folder, cancellationToken), "bench/big", "1", cancellationToken),
            await files.AddAsync(await WarmAsync(folder, cancellationToken), "bench/warm", "1", cancellationToken),
            await files.AddAsync(ImageMaker.FromLayers([.. FortyLayers()]), "bench/forty", "1", cancellationToken),
            await files.AddAsync(ImageMaker.FromLayers([LayerMaker.Hello()], configSize: 4096), "bench/tiny", "1", cancellationToken),
            await AddBotsAsync(files, cancellationToken));
        await File.WriteAllTextAsync(list, JsonSerializer.Serialize(images), cancellationToken);
        return images;
    }

    private static async Task<Image> WarmAsync(TempFolder folder, CancellationToken cancellationToken)
    {
        var layers = new List<Layer>();
        for (var i = 0; i < 4; i++) layers.Add(await LayerMaker.IncompressibleOnDiskAsync(128L << 20, seed: 2 + i, folder, cancellationToken));
        return ImageMaker.FromLayers(layers);
    }

    private static IEnumerable<Layer> FortyLayers() =>
        [LayerMaker.Hello(), .. Enumerable.Range(1, 39).Select(i => LayerMaker.Incompressible((16 + (i * 37 % 497)) << 10, seed: 40_000 + i))];

    private static async Task<IReadOnlyList<BenchImage>> AddBotsAsync(RegistryFiles files, CancellationToken cancellationToken)
    {
        var bots = new List<BenchImage>();
        for (var i = 0; i < 200; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"bench/bot-{i:000}");
            bots.Add(await files.AddAsync(ImageMaker.Small(name), name, "1", cancellationToken));
        }

        return bots;
    }
}
